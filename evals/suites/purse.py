"""What a run may still spend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evals.suites.spec import Budget


class Stop(StrEnum):
    """Why a stage ended before its last trial."""

    CASES = "cases"
    COST = "cost"
    TIME = "time"
    CANCELLED = "cancelled"
    SILENT = "silent"


@dataclass(slots=True)
class Purse:
    """A budget and what was taken from it; one for all stages of a run.

    A run that goes on later starts with what it had spent. The deadline is a moment of the event loop's clock, set when the first
    stage starts.
    """

    budget: Budget
    cases: int = 0
    cost_nanos: int = 0
    seconds: float = 0.0
    deadline: float | None = None

    def start(self, now: float) -> None:
        """Set the deadline, once."""
        if self.deadline is None and self.budget.max_seconds is not None:
            self.deadline = now + max(self.budget.max_seconds - self.seconds, 0.0)

    def spent(self, now: float) -> Stop | None:
        """What has run out for another trial, or None."""
        if self.budget.max_cost_nanos is not None and self.cost_nanos >= self.budget.max_cost_nanos:
            return Stop.COST
        if self.deadline is not None and now >= self.deadline:
            return Stop.TIME
        return None

    @property
    def has_cases(self) -> bool:
        """Whether another case may be asked."""
        return self.budget.max_cases is None or self.cases < self.budget.max_cases
