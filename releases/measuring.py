"""Rollouts as their rules see them: the minutes of all read at once, then every rule of a rollout's policy on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from releases.decide import Rollback, RolloutView
from releases.models import Rollout
from releases.policies import Policy
from releases.routing import TOTAL_BP, Arm
from releases.rules import Evaluation, RuleSpec, Window, evaluate, longest_window_s, without_baselines
from releases.selectors.policies import policy_of
from releases.states import RolloutState
from telemetry.calls import count_calls
from telemetry.costs import costs_of
from telemetry.metrics import MinuteSeries, window
from telemetry.metrics.series import ArmKey
from telemetry.minutes import Source, load_minutes


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


@dataclass(frozen=True)
class Measured:
    """A rollout at one moment: its policy, the rules of it that apply, and each one's evaluation by rule id."""

    policy: Policy
    rules: tuple[RuleSpec, ...]
    evaluations: Mapping[str, Evaluation]


def load_series(rollout: Rollout, *, since: datetime, until: datetime) -> MinuteSeries:
    """A rollout's rollups, both arms; see `judged_series`."""
    return judged_series(rollout, load_minutes([_source(rollout, since)], until=until)[0])


def judged_series(rollout: Rollout, series: MinuteSeries) -> MinuteSeries:
    """`series` with what its rules call the candidate under that name: in a shadow step, the copies that it answered.

    Copies of other releases, which are asked for pairs while users get the candidate, are nobody's quality.
    """
    if not rollout.step.is_shadow:
        return series
    stable = {key: found for key, found in series.arms.items() if key.arm not in {Arm.CANDIDATE, Arm.SHADOW}}
    copies = series.arms.get(ArmKey(rollout.candidate.digest, Arm.SHADOW.value))
    judged = {ArmKey(rollout.candidate.digest, Arm.CANDIDATE.value): copies} if copies else {}
    return replace(series, arms={**stable, **judged})


def measure(rollouts: Sequence[Rollout], now: datetime) -> list[Measured]:
    """Each rollout at `now`, in their order, in two queries altogether.

    What is read of a rollout's neighbours (policy with environment, deployment with feature) is expected to be there.
    """
    read = {rollout.promotion.policy_id: rollout.promotion.policy for rollout in rollouts}
    by_id = {policy_id: policy_of(row) for policy_id, row in read.items()}
    policies = [by_id[rollout.promotion.policy_id] for rollout in rollouts]
    rules = [applicable_rules(rollout, policy) for rollout, policy in zip(rollouts, policies, strict=True)]
    longest = [max((longest_window_s(rule.rule) for rule in some), default=0) for some in rules]
    sources = [
        _source(rollout, now - timedelta(seconds=seconds))
        for rollout, seconds in zip(rollouts, longest, strict=True)
    ]
    return [
        Measured(
            policy=policy,
            rules=some,
            evaluations=_evaluations(some, SeriesReader(judged_series(rollout, series), now)),
        )
        for rollout, policy, some, series in zip(
            rollouts, policies, rules, load_minutes(sources, until=now), strict=True
        )
    ]


def _evaluations(rules: tuple[RuleSpec, ...], reader: SeriesReader) -> Mapping[str, Evaluation]:
    return {rule.id: evaluate(rule.rule, reader, min_samples=rule.min_samples) for rule in rules}


def samples_in_step(rollout: Rollout) -> Mapping[Arm, int]:
    """How many calls each arm had since the rollout entered its step."""
    return samples_in_steps([rollout])[rollout.pk]


def samples_in_steps(rollouts: Sequence[Rollout]) -> Mapping[UUID, Mapping[Arm, int]]:
    """`samples_in_step` of several rollouts by id, in one query."""
    counts = count_calls([_source(rollout, rollout.step_entered_at) for rollout in rollouts], arms=list(Arm))
    return {
        rollout.pk: {
            Arm(arm): calls
            for arm, calls in counts.get(rollout.pk, {}).items()
            # Safe mode is an arm of its own only where nothing is live; elsewhere it stands in for one that failed.
            if arm != Arm.SAFE or rollout.baseline_id is None
        }
        for rollout in rollouts
    }


def spent_in_steps(rollouts: Sequence[Rollout]) -> Mapping[UUID, int]:
    """What the copies of calls have cost that each rollout in shadow sent its candidate, by id, in nano-dollars."""
    in_shadow = [one for one in rollouts if one.step.is_shadow]
    sources = [(_source(one, one.step_entered_at), one.candidate.digest) for one in in_shadow]
    return costs_of(sources, arm=Arm.SHADOW)


def _source(rollout: Rollout, since: datetime) -> Source:
    deployment = rollout.deployment
    return Source(deployment.environment_id, deployment.feature.slug, rollout.pk, since)


def controller_view(
    rollout: Rollout,
    policy: Policy,
    rules: tuple[RuleSpec, ...],
    samples: Mapping[Arm, int] | None = None,
    spent_nanos: int | None = None,
) -> RolloutView:
    """A stored rollout as the value that `decide` looks at; `samples` and `spent_nanos` of its step are read if not given."""
    if spent_nanos is None:
        spent_nanos = spent_in_steps([rollout]).get(rollout.pk, 0)
    rolling_back = rollout.state == RolloutState.ROLLING_BACK
    return RolloutView(
        state=RolloutState(rollout.state),
        plan=rollout.plan,
        step_index=rollout.step_index,
        weight_bp=rollout.weight_bp,
        step_entered_at=rollout.step_entered_at,
        samples=samples_in_step(rollout) if samples is None else samples,
        rules=rules,
        rollback=Rollback(from_weight_bp=rollout.withdrawn_bp, last_move_at=rollout.last_moved_at)
        if rolling_back
        else None,
        rollback_interval_s=policy.rollback_interval_s,
        mirrored_bp=rollout.mirrored_bp,
        spent_nanos=spent_nanos,
    )
