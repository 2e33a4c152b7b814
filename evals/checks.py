"""One row of a gate's report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from evals.states import Verdict

log = structlog.get_logger("evals")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found: a verdict, a sentence for people, and JSON that proves it."""

    verdict: Verdict
    detail: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """An outcome with its stable id, its title and how long it took."""

    id: str
    title: str
    outcome: Outcome
    duration_ms: int

    def to_dict(self) -> dict[str, Any]:
        """The row as it stands in a report."""
        return {
            "id": self.id,
            "title": self.title,
            "verdict": self.outcome.verdict.value,
            "detail": self.outcome.detail,
            "evidence": dict(self.outcome.evidence),
            "duration_ms": self.duration_ms,
        }


def perform(check_id: str, title: str, run: Callable[[], Outcome]) -> Check:
    """Run one check. A check that crashes has the verdict `error`, so that a gate always ends in a report."""
    started = time.perf_counter()
    try:
        outcome = run()
    except Exception as error:
        # Whatever goes wrong inside one check must neither pass the gate nor leave the promotion waiting for ever.
        log.exception("check.crashed", check=check_id)
        outcome = Outcome(Verdict.ERROR, f"The check itself failed: {type(error).__name__}.")
    return Check(check_id, title, outcome, duration_ms=round((time.perf_counter() - started) * 1000))
