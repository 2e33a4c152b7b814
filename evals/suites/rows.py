"""One trial as it is kept: the answer redacted and cut, its scores, what it took. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from evals.scorers import Answer, Score
from telemetry.redaction import redact, redact_value

MAX_OUTPUT_CHARS: Final = 2_000
MAX_EVIDENCE_CHARS: Final = 1_000
MAX_REASON_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class TrialRow:
    """Trial number `trial` (from 0) of the case `case`.

    `failure` is empty where the model answered, else a word such as `timeout`, with a sentence in `detail`. `crashed` are the ids
    of scorers that broke on this answer; they have no score.
    """

    case: str
    trial: int
    attempts: int = 1
    output: str = ""
    scores: Mapping[str, Score] = field(default_factory=dict)
    crashed: tuple[str, ...] = ()
    failure: str = ""
    detail: str = ""
    latency_ms: int | None = None
    cost_nanos: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    provider_model: str = ""

    @classmethod
    def answered(
        cls,
        case: str,
        trial: int,
        *,
        answer: Answer,
        scores: Mapping[str, Score],
        crashed: tuple[str, ...] = (),
        attempts: int = 1,
    ) -> Self:
        """The row of an answer. What the scores quote of it is redacted as the answer itself is."""
        return cls(
            case=case,
            trial=trial,
            attempts=attempts,
            output=redact(answer.text, max_chars=MAX_OUTPUT_CHARS)[0],
            scores={name: _storable(score) for name, score in scores.items()},
            crashed=crashed,
            latency_ms=answer.latency_ms,
            cost_nanos=answer.cost_nanos,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            provider_model=redact(answer.provider_model, max_chars=200)[0],
        )

    @classmethod
    def failed(cls, case: str, trial: int, *, failure: str, detail: str, attempts: int = 1) -> Self:
        """The row of a trial without an answer."""
        return cls(
            case=case,
            trial=trial,
            attempts=attempts,
            failure=failure,
            detail=redact(detail, max_chars=MAX_REASON_CHARS)[0],
        )

    @property
    def in_error(self) -> bool:
        """Whether there is no answer, or one that a scorer broke on. That says nothing about the release."""
        return bool(self.failure or self.crashed)

    def to_dict(self) -> dict[str, Any]:
        """As JSON, every member present."""
        return {
            "case": self.case,
            "trial": self.trial,
            "attempts": self.attempts,
            "output": self.output,
            "scores": {name: _score_to_dict(score) for name, score in sorted(self.scores.items())},
            "crashed": list(self.crashed),
            "failure": self.failure,
            "detail": self.detail,
            "latency_ms": self.latency_ms,
            "cost_nanos": self.cost_nanos,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "provider_model": self.provider_model,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote."""
        scores = {name: Score(**score) for name, score in stored["scores"].items()}
        return cls(**{**stored, "scores": scores, "crashed": tuple(stored["crashed"])})


def settled(rows: Iterable[TrialRow]) -> set[tuple[str, int]]:
    """The trials that a run which goes on need not ask again, as `(case, trial)`: those that are not in error."""
    return {(row.case, row.trial) for row in rows if not row.in_error}


def _storable(score: Score) -> Score:
    return Score(
        value=score.value,
        passed=score.passed,
        reason=redact(score.reason, max_chars=MAX_REASON_CHARS)[0],
        evidence=redact_value(score.evidence, max_chars=MAX_EVIDENCE_CHARS)[0],
    )


def _score_to_dict(score: Score) -> dict[str, Any]:
    return {
        "value": score.value,
        "passed": score.passed,
        "reason": score.reason,
        "evidence": dict(score.evidence),
    }
