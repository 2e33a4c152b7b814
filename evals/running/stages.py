"""Running stages to their results: the candidate first, then the live release where a limit compares with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from evals.running.calls import asker
from evals.running.cases import FrozenCases
from evals.subjects import GateSubject
from evals.suites import (
    Budget,
    Pace,
    Purse,
    StageRecord,
    StageRun,
    StageSpec,
    Stop,
    SuiteCase,
    TrialRow,
    aggregate,
)
from providers import ChatProvider, build
from registry.probes import ClientSettings
from registry.selectors.endpoints import client_settings

Told = Callable[[str, TrialRow], None]
"""Hears of each row as it comes, with the stage's name."""


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """A stage that ran. `live` are the live release's rows on the same cases; None where nothing was compared."""

    stage: StageSpec
    cases: FrozenCases
    record: StageRecord
    took_ms: int
    live: Sequence[TrialRow] | None = None
    live_stopped: Stop | None = None

    def live_to_dict(self) -> dict[str, Any] | None:
        """As JSON for a report: how many of the live release's trials there are to compare with."""
        if self.live is None:
            return None
        return {
            "trials": len(self.live),
            "errors": sum(row.in_error for row in self.live),
            "stopped": self.live_stopped and self.live_stopped.value,
        }


def run_stages(
    subject: GateSubject,
    stages: Sequence[tuple[StageSpec, FrozenCases]],
    *,
    budget: Budget,
    pace: Pace,
    kept: Mapping[str, Sequence[TrialRow]] | None = None,
    told: Told = lambda _stage, _row: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[StageOutcome]:
    """Ask every stage in turn within one budget; after one that was stopped by it the following ones are not asked.

    `kept` are rows of an earlier attempt by stage: their trials are not asked again. Runs an event loop of its own. Raises
    `DomainError`, `ValueError` or `UrlRefusedError` for an endpoint that cannot be used, `SpecError` for a prompt that is none.
    """
    settings = _endpoint(subject)
    baseline = subject.baseline if any(_compares(stage) for stage, _ in stages) else None
    return asyncio.run(
        _run_stages(
            subject,
            stages,
            settings=settings,
            live=None if baseline is None else (baseline, _endpoint(baseline)),
            purse=Purse(budget),
            pace=pace,
            kept=kept or {},
            told=told,
            cancelled=cancelled,
        )
    )


async def _run_stages(
    subject: GateSubject,
    stages: Sequence[tuple[StageSpec, FrozenCases]],
    *,
    settings: ClientSettings,
    live: tuple[GateSubject, ClientSettings] | None,
    purse: Purse,
    pace: Pace,
    kept: Mapping[str, Sequence[TrialRow]],
    told: Told,
    cancelled: Callable[[], bool],
) -> list[StageOutcome]:
    outcomes = []
    for stage, frozen in stages:
        cases = frozen.chosen(stage)
        began = time.perf_counter()
        before = list(kept.get(stage.name, ()))
        rows, stopped = await _ask(
            subject,
            settings,
            stage,
            cases,
            purse=purse,
            pace=pace,
            kept=before,
            told=told,
            cancelled=cancelled,
        )
        live_rows: list[TrialRow] | None = None
        live_stopped = None
        if live is not None and _compares(stage) and stopped is None:
            rest = _rest(purse)
            live_rows, live_stopped = await _ask(
                *live, stage, cases, purse=rest, pace=pace, kept=(), told=_nobody, cancelled=cancelled
            )
            purse.cost_nanos = rest.cost_nanos
        result = aggregate(stage, rows, planned=[case.key for case in cases], live=live_rows)
        record = StageRecord(result, rows, frozen.digest, stopped)
        took_ms = round((time.perf_counter() - began) * 1000)
        outcomes.append(StageOutcome(stage, frozen, record, took_ms, live_rows, live_stopped))
        if stopped is not None:
            break
    return outcomes


async def _ask(
    subject: GateSubject,
    settings: ClientSettings,
    stage: StageSpec,
    cases: Sequence[SuiteCase],
    *,
    purse: Purse,
    pace: Pace,
    kept: Sequence[TrialRow],
    told: Told,
    cancelled: Callable[[], bool],
) -> tuple[list[TrialRow], Stop | None]:
    provider = _provider(settings)
    rows = list(kept)
    done = {(row.case, row.trial) for row in kept if not row.in_error}
    run = StageRun(
        stage, cases, ask=asker(subject, provider), purse=purse, pace=pace, done=done, cancelled=cancelled
    )
    try:
        async for row in run.rows():
            rows.append(row)
            told(stage.name, row)
    finally:
        await provider.aclose()
    return rows, run.stopped


def _compares(stage: StageSpec) -> bool:
    return any(scorer.limits.max_drop is not None for scorer in stage.scorers)


def _rest(purse: Purse) -> Purse:
    """What is left of time and money; the cases of the live release are not counted as cases of the run."""
    return Purse(replace(purse.budget, max_cases=None), cost_nanos=purse.cost_nanos, deadline=purse.deadline)


def _endpoint(subject: GateSubject) -> ClientSettings:
    return client_settings(UUID(subject.primary_model["endpoint"]))


def _provider(settings: ClientSettings) -> ChatProvider:
    return build(
        settings.protocol,
        base_url=settings.base_url,
        api_key=settings.api_key,
        allow_private=settings.allow_private,
    )


def _nobody(_stage: str, _row: TrialRow) -> None:
    """Rows of the live release are kept by nobody: they are made anew with each run."""
