"""Suites, cases and scripted answers for tests of suites."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

from evals.scorers import Answer, Case, Score
from evals.suites import StageRun, StageSpec, SuiteCase, SuiteSpec, TrialRow, parse_suite
from tests.evals.scorers.scored_cases import PlainCase


def suite_json(*scorers: dict[str, Any], **stage: Any) -> dict[str, Any]:
    """A suite of one quality stage; without scorers it wants 80 % exact matches."""
    chosen = list(scorers) or [{"scorer": "exact_match", "min": 0.8}]
    return {
        "name": "support",
        "stages": [{"kind": "quality", "dataset": "faq@1.2.0", "scorers": chosen, **stage}],
    }


def suite(*scorers: dict[str, Any], **stage: Any) -> SuiteSpec:
    return parse_suite(suite_json(*scorers, **stage))


def stage_of(*scorers: dict[str, Any], **stage: Any) -> StageSpec:
    return suite(*scorers, **stage).stages[0]


def keys(n: int) -> list[str]:
    return [f"case-{number:03d}" for number in range(n)]


def cases(n: int, *, expected: str = "right") -> list[SuiteCase]:
    """`n` cases that are answered well with `right`."""
    return [SuiteCase(key, PlainCase(expected=expected, variables={"question": key})) for key in keys(n)]


def row(
    key: str, value: float | None, *, scorer: str = "exact_match", trial: int = 0, passed: bool | None = None
) -> TrialRow:
    """A row with one score; of 0 and 1 it is a pass or a fail unless `passed` says otherwise."""
    if passed is None and value in {0.0, 1.0}:
        passed = value == 1.0
    score = Score(value, passed, "Because.")
    return TrialRow.answered(
        key, trial, answer=Answer("x", latency_ms=10, cost_nanos=5), scores={scorer: score}
    )


def rows_of(values: Sequence[float | None], **more: Any) -> list[TrialRow]:
    """A row for each value, under `keys`."""
    return [row(key, value, **more) for key, value in zip(keys(len(values)), values, strict=True)]


class Script:
    """An `ask` that answers from a function, and notes what it was asked and how many questions were under way."""

    def __init__(self, answer: Callable[[str, int], Answer | Exception]) -> None:
        self._answer = answer
        self.asked: list[tuple[str, int]] = []
        self.under_way = 0
        self.most_under_way = 0

    async def __call__(self, case: Case, trial: int) -> Answer:
        key = case.variables["question"]
        self.asked.append((key, trial))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            answer = self._answer(key, trial)
            if isinstance(answer, Exception):
                raise answer
            return answer
        finally:
            self.under_way -= 1


def right(_key: str, _trial: int) -> Answer:
    return Answer("right", latency_ms=10, cost_nanos=1_000)


async def collect(run: StageRun, *, at_most: int | None = None) -> list[TrialRow]:
    """The rows of a run, or the first few before it is closed."""
    found: list[TrialRow] = []
    async with aclosing(run.rows()) as rows:
        async for one in rows:
            found.append(one)
            if len(found) == at_most:
                break
    return found
