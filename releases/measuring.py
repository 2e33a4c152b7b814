"""A rollout as its rules see it: its minutes read once, then every rule of its policy on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from releases.decide import Rollback, RolloutView
from releases.models import Rollout
from releases.plans import Plan
from releases.policies import Policy
from releases.routing import TOTAL_BP, Arm
from releases.rules import Evaluation, RuleSpec, Window, evaluate, longest_window_s, without_baselines
from releases.states import RolloutState
from telemetry.metrics import MinuteSeries, window
from telemetry.minutes import load_minutes
from telemetry.models import Inference


@dataclass(frozen=True)
class SeriesReader:
    """`releases.rules.WindowReader` over the minutes of one rollout."""

    series: MinuteSeries
    now: datetime

    def window(self, metric: str, arm: Arm, seconds: int) -> Window | None:
        found = window(self.series, metric, arm.value, seconds, self.now)
        return Window(**asdict(found)) if found else None


def applicable_rules(rollout: Rollout, policy: Policy) -> tuple[RuleSpec, ...]:
    """The policy's rules, without comparisons where no stable arm takes traffic: a first release, or a candidate at 100 %."""
    if rollout.baseline_id is None or rollout.weight_bp == TOTAL_BP:
        return without_baselines(policy.rules)
    return policy.rules


def load_series(rollout: Rollout, *, since: datetime, until: datetime) -> MinuteSeries:
    """A rollout's rollups, both arms."""
    deployment = rollout.deployment
    return load_minutes(
        environment_id=deployment.environment_id,
        feature=deployment.feature.slug,
        rollout_id=rollout.id,
        since=since,
        until=until,
    )


def measure(rollout: Rollout, rules: tuple[RuleSpec, ...], now: datetime) -> Mapping[str, Evaluation]:
    """Each rule's evaluation at `now`, by rule id."""
    if not rules:
        return {}
    longest = max(longest_window_s(rule.rule) for rule in rules)
    reader = SeriesReader(load_series(rollout, since=now - timedelta(seconds=longest), until=now), now)
    return {rule.id: evaluate(rule.rule, reader, min_samples=rule.min_samples) for rule in rules}


def samples_in_step(rollout: Rollout) -> dict[Arm, int]:
    """How many calls each arm had since the rollout entered its step."""
    rows = (
        Inference.objects.filter(
            rollout_id=rollout.id, at__gte=rollout.step_entered_at, arm__in=[Arm.STABLE, Arm.CANDIDATE]
        )
        .values_list("arm")
        .annotate(Count("id"))
    )
    return {Arm(arm): count for arm, count in rows}


def controller_view(rollout: Rollout, policy: Policy, rules: tuple[RuleSpec, ...]) -> RolloutView:
    """A stored rollout as the value that `decide` looks at."""
    rolling_back = rollout.state == RolloutState.ROLLING_BACK
    return RolloutView(
        state=RolloutState(rollout.state),
        plan=Plan.from_dict(rollout.promotion.plan),
        step_index=rollout.step_index,
        weight_bp=rollout.weight_bp,
        step_entered_at=rollout.step_entered_at,
        samples=samples_in_step(rollout),
        rules=rules,
        rollback=Rollback(from_weight_bp=rollout.withdrawn_bp, last_move_at=rollout.last_moved_at)
        if rolling_back
        else None,
        rollback_interval_s=policy.rollback_interval_s,
    )
