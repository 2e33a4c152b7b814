"""A suite as it was written down, checked and with its defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from evals.scorers import Scorer
from promptstore.core.digests import digest_json

LEAST_CASES: Final = 30


class StageKind(StrEnum):
    """In the order in which they run: what costs little comes first."""

    STATIC = "static"
    FUNCTIONAL = "functional"
    QUALITY = "quality"


class Reducer(StrEnum):
    """What the trials of one case say together.

    `mean` is the mean of their values; the others ask how many of them passed, and make the case a pass or a fail.
    """

    MEAN = "mean"
    ALL = "all"
    ANY = "any"
    MAJORITY = "majority"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scorer's result must keep.

    `least` and `most` bound the result itself, `max_drop` how much worse than the live release it may be on the same cases, in the
    scorer's unit. With fewer than `least_cases` cases an interval that holds the limit decides nothing.
    """

    least: float | None = None
    most: float | None = None
    max_drop: float | None = None
    least_cases: int = LEAST_CASES

    @property
    def any(self) -> bool:
        return not (self.least is None and self.most is None and self.max_drop is None)


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """One scorer in a stage. `id` names its column."""

    id: str
    scorer: Scorer
    params: Mapping[str, Any]
    reducer: Reducer
    weight: float
    limits: Limits

    @property
    def counts_passes(self) -> bool:
        """Whether its result is a share of cases that passed, and not a mean."""
        return self.reducer is not Reducer.MEAN

    @property
    def higher_is_better(self) -> bool:
        return self.counts_passes or self.scorer.higher_is_better

    @property
    def low(self) -> float:
        return 0.0 if self.counts_passes else self.scorer.low

    @property
    def high(self) -> float | None:
        return 1.0 if self.counts_passes else self.scorer.high

    def to_dict(self) -> dict[str, Any]:
        limits = self.limits
        bounds = {"min": limits.least, "max": limits.most, "max_drop": limits.max_drop}
        return {
            "scorer": self.scorer.name,
            "id": self.id,
            "params": {name: value for name, value in self.params.items() if value is not None},
            "reducer": self.reducer.value,
            "least_cases": limits.least_cases,
            **({} if self.high is None else {"weight": self.weight}),
            **{name: value for name, value in bounds.items() if value is not None},
        }


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A frozen version of a dataset."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One stage. A static one asks nothing: it stands for the checks that need no model, so it has no dataset and no scorers.

    `max_cases` caps a sample drawn with `seed`; None takes every case. More than `max_error_share` of the cases in error makes the
    stage an error.
    """

    name: str
    kind: StageKind
    dataset: DatasetRef | None = None
    trials: int = 1
    max_cases: int | None = None
    seed: int = 0
    scorers: Sequence[ScorerSpec] = ()
    max_error_share: float = 0.05

    def to_dict(self) -> dict[str, Any]:
        if self.dataset is None:
            return {"name": self.name, "kind": self.kind.value}
        sample = (
            {} if self.max_cases is None else {"sample": {"max_cases": self.max_cases, "seed": self.seed}}
        )
        return {
            "name": self.name,
            "kind": self.kind.value,
            "dataset": str(self.dataset),
            "trials": self.trials,
            **sample,
            "scorers": [scorer.to_dict() for scorer in self.scorers],
            "max_error_share": self.max_error_share,
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """What a whole run may take; None means no limit. Money is nano-dollars."""

    max_cases: int | None = None
    max_cost_nanos: int | None = None
    max_seconds: int | None = None

    def to_dict(self) -> dict[str, int]:
        limits = {
            "max_cases": self.max_cases,
            "max_cost_nanos": self.max_cost_nanos,
            "max_seconds": self.max_seconds,
        }
        return {name: value for name, value in limits.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SuiteSpec:
    """Stages in order, and a budget for all of them together."""

    name: str
    stages: Sequence[StageSpec]
    budget: Budget

    def to_dict(self) -> dict[str, Any]:
        """The suite as JSON with its defaults; `parse_suite` gives the same suite back."""
        return {
            "name": self.name,
            "stages": [stage.to_dict() for stage in self.stages],
            "budget": self.budget.to_dict(),
        }

    @property
    def digest(self) -> str:
        """`sha256:` over `to_dict`."""
        return digest_json(self.to_dict())
