"""What people found on each arm of a rollout, with intervals. For those who decide, not for those who label."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from promptstore.core.errors import NotFound
from reviews.models import ReviewItem
from reviews.rubrics import HARMFUL, TONE, is_hallucination, is_tone_off
from reviews.states import ReviewState
from stats.intervals import Interval, wilson
from telemetry.models import Inference


@dataclass(frozen=True, slots=True)
class LabelRate:
    """`hits` of `n` settled answers, and Wilson's 95 % interval of the share; none without a sample."""

    name: str
    hits: int
    n: int
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class ArmLabels:
    """One arm: items sampled and settled, and the rates of their verdicts."""

    arm: str
    sampled: int
    settled: int
    rates: list[LabelRate]


def label_rates(*, project_id: UUID, rollout_id: UUID) -> list[ArmLabels]:
    """Candidate and stable, each with what people found. Answers of which nobody could tell count in no hallucination rate.

    Raises `NotFound` for a rollout of which no answer is known in this project.
    """
    rows = list(
        ReviewItem.objects.filter(project_id=project_id, rollout_id=rollout_id).values_list(
            "arm", "state", "verdict"
        )
    )
    if not rows and not Inference.objects.filter(project_id=project_id, rollout_id=rollout_id).exists():
        raise NotFound("No answer of such a rollout is known in this project.", field="rollout")
    sampled = Counter(arm for arm, _, _ in rows)
    return [
        _arm(
            arm, sampled[arm], [v for a, state, v in rows if a == arm and state == ReviewState.SETTLED and v]
        )
        for arm in (ReviewItem.Arm.CANDIDATE.value, ReviewItem.Arm.STABLE.value)
    ]


def _arm(arm: str, sampled: int, verdicts: list[dict[str, str]]) -> ArmLabels:
    told = [said for verdict in verdicts if (said := is_hallucination(verdict)) is not None]
    tones = [(off, verdict[TONE]) for verdict in verdicts if (off := is_tone_off(verdict)) is not None]
    return ArmLabels(
        arm=arm,
        sampled=sampled,
        settled=len(verdicts),
        rates=[
            _rate("hallucination", sum(told), len(told)),
            _rate("tone_off", sum(off for off, _ in tones), len(tones)),
            _rate("tone_harmful", sum(tone == HARMFUL for _, tone in tones), len(tones)),
        ],
    )


def _rate(name: str, hits: int, n: int) -> LabelRate:
    return LabelRate(name=name, hits=hits, n=n, interval=wilson(hits, n) if n else None)
