"""What a shadow step has seen: how many calls were copied to the candidate, and what that cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from releases.measuring import spent_in_steps
from releases.models import Rollout
from releases.routing import Arm
from releases.rules.sentences import amount, number
from telemetry.metrics.base import Unit


@dataclass(frozen=True)
class ShadowView:
    """The shadow step that a rollout is in. Money in nano-dollars; `max_cost_nanos` is `None` without a budget."""

    copies: int
    answered: int
    spent_nanos: int
    max_cost_nanos: int | None
    is_mirroring: bool

    @property
    def share(self) -> str:
        """“412 of 1,503 calls, 27 %”; empty before the first call."""
        if not self.answered:
            return ""
        # Copies are counted when they are answered, calls when they are: at a minute's edge one may be ahead.
        percent = min(100.0, 100 * self.copies / self.answered)
        return f"{self.copies:,} of {self.answered:,} calls, {number(percent)} %"

    @property
    def spent(self) -> str:
        """“$0.12 of $5”, or what was spent where there is no budget."""
        spent = amount(float(self.spent_nanos), Unit.USD_NANOS)
        if self.max_cost_nanos is None:
            return spent
        return f"{spent} of {amount(float(self.max_cost_nanos), Unit.USD_NANOS)}"


def shadow_view(rollout: Rollout, samples: Mapping[Arm, int]) -> ShadowView | None:
    """`None` where the rollout's step shows users the candidate's answers. `samples` are those of the step."""
    step = rollout.step
    if not step.is_shadow:
        return None
    # Where nothing is live yet, the safe mode answers.
    answered = samples.get(Arm.STABLE if rollout.baseline_id else Arm.SAFE, 0)
    return ShadowView(
        copies=samples.get(Arm.SHADOW, 0),
        answered=answered,
        spent_nanos=spent_in_steps([rollout]).get(rollout.pk, 0),
        max_cost_nanos=step.max_cost_nanos,
        is_mirroring=rollout.mirrored_bp > 0,
    )
