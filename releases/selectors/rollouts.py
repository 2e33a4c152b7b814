"""A rollout as its page shows it: where it stands, what it waits for, how each rule stands, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max, QuerySet

from promptstore.core import clock
from releases.decide import Hold, decide
from releases.measuring import (
    SeriesReader,
    applicable_rules,
    controller_view,
    load_series,
    samples_in_step,
)
from releases.models import Measurement, Rollout, RolloutDecision
from releases.models.rollouts import LIVE
from releases.policies import Policy
from releases.routing import Arm
from releases.rules import ConditionResult, Evaluation, RuleSpec, Verdict, Window, evaluate, longest_window_s
from releases.rules.sentences import weight
from releases.selectors.decision_log import LogEntry, decision_log
from releases.selectors.places import rollouts
from releases.selectors.policies import policy_of
from releases.selectors.routing import is_withdrawn
from releases.selectors.rule_views import RuleView, judged
from releases.selectors.shadows import ShadowView, shadow_view
from releases.selectors.steppers import StepView, rollout_steps, way_down
from releases.states import RolloutState
from reviews.selectors import Unjudged, unjudged
from telemetry.metrics import MinuteSeries
from telemetry.models import Rollup

LEAST_SPAN = timedelta(hours=1)
SILENCE = timedelta(minutes=3)
TICK_S = 10
_LOG = 200


@dataclass(frozen=True)
class RolloutView:
    """`waits_for` are the controller's own reasons to hold, in sentences; `withdrawn` says what happens to the units that left.

    `unjudged` is what people have yet to judge, where a rule waits for their labels.
    """

    rollout: Rollout
    policy: Policy
    is_live: bool
    steps: tuple[StepView, ...]
    way_down: tuple[StepView, ...]
    samples: Mapping[str, int]
    shadow: ShadowView | None
    seconds_to_go: int
    samples_to_go: int
    waits_for: tuple[str, ...]
    rules: tuple[RuleView, ...]
    decisions: tuple[RolloutDecision, ...]
    log: tuple[LogEntry, ...]
    unjudged: Unjudged | None
    withdrawn: str
    last_telemetry_at: datetime | None
    is_silent: bool

    @property
    def telemetry_tone(self) -> str:
        """`wait` while telemetry is late."""
        return "wait" if self.is_silent else ""

    @property
    def keeps_pairs(self) -> bool:
        """Whether its plan keeps both answers of some calls."""
        return self.rollout.plan.pairs_bp > 0

    @property
    def candidate_calls(self) -> int:
        """What the candidate answered in this step: users, or in shadow copies of their calls."""
        return self.samples.get(Arm.SHADOW.value if self.shadow else Arm.CANDIDATE.value, 0)

    @property
    def stable_calls(self) -> str:
        """The other arm's calls in this step, in words."""
        return f"{self.samples.get(Arm.STABLE.value, 0):,} on stable"

    @property
    def fall(self) -> LogEntry | None:
        """The entry with which the rollout began to go down."""
        return next((entry for entry in reversed(self.log) if entry.kind in _FALLS), None)


_FALLS = {"roll_back", "cut", "abort"}


def rollout_view(rollout: Rollout, *, whole: bool = False) -> RolloutView:
    """Everything about `rollout` (from `places.rollouts`). `whole` charts it from its start instead of its latest hours."""
    now = clock.now()
    policy = policy_of(rollout.promotion.policy)
    is_live = rollout.state in LIVE
    until = now if is_live or rollout.finished_at is None else rollout.finished_at + timedelta(minutes=2)
    rules = applicable_rules(rollout, policy)
    since = _since(rollout, rules, until, whole=whole)
    # Also the window before the first point, so that it is measured like the others.
    series = load_series(rollout, since=since - _longest(rules), until=until)
    evaluations = _evaluations(rules, series, now) if is_live else _latest(rollout, rules)
    decisions = list(reversed(rollout.decisions.order_by("-number")[:_LOG]))
    samples = samples_in_step(rollout)
    latest = last_telemetry_at(rollout)
    hold = _hold(rollout, policy, rules, evaluations, now) if is_live else None
    rule_views = tuple(
        judged(
            rules,
            evaluations,
            series,
            since=since,
            until=min(until, now),
            marks=_marks(decisions, since, until),
        )
    )
    return RolloutView(
        rollout=rollout,
        policy=policy,
        is_live=is_live,
        steps=tuple(rollout_steps(rollout, samples, now)),
        way_down=tuple(way_down(rollout, policy.rollback_interval_s)),
        samples={arm.value: count for arm, count in samples.items()},
        shadow=shadow_view(rollout, samples),
        seconds_to_go=hold.seconds_to_go if hold else 0,
        samples_to_go=hold.samples_to_go if hold else 0,
        waits_for=hold.reasons if hold else (),
        rules=rule_views,
        unjudged=unjudged(project_id=rollout.project_id, rollout_id=rollout.pk)
        if is_live and any(rule.waits_for_labels for rule in rule_views)
        else None,
        decisions=tuple(reversed(decisions)),
        log=tuple(decision_log(reversed(decisions))),
        withdrawn=withdrawn_sentence(rollout),
        last_telemetry_at=latest,
        is_silent=is_live and now - (latest or rollout.created_at) > SILENCE,
    )


def rollout_list(*, project_id: UUID, live: bool = False) -> QuerySet[Rollout]:
    """A project's rollouts; with `live` only those that carry or may carry traffic."""
    rows = rollouts().filter(project_id=project_id)
    return rows.filter(state__in=LIVE) if live else rows


def rollout_etag(rollout: Rollout, *parts: str, whole: bool = False) -> str:
    """Changes with what the live fragment shows: each decision at once, measurements and times every `TICK_S` seconds.

    The course of the `whole` rollout is longer work and hardly changes, so it follows once a minute.
    """
    latest = rollout.decisions.aggregate(latest=Max("number"))["latest"]
    tick = int(clock.now().timestamp()) // (60 if whole else TICK_S) if rollout.state in LIVE else "over"
    shown = (rollout.pk, rollout.state, rollout.weight_bp, rollout.step_index, latest, tick, whole, *parts)
    return '"' + "-".join(str(part) for part in shown) + '"'


def last_telemetry_at(rollout: Rollout) -> datetime | None:
    """The latest minute in which either arm of the rollout was called."""
    deployment = rollout.deployment
    rows = Rollup.objects.filter(
        environment_id=deployment.environment_id,
        feature=deployment.feature.slug,
        rollout_id=rollout.pk,
        count__gt=0,  # a minute may hold labels alone
    )
    found: datetime | None = rows.aggregate(latest=Max("minute"))["latest"]
    return found


def withdrawn_sentence(rollout: Rollout) -> str:
    """What units get that had the candidate and lost it; empty while none did."""
    if rollout.state not in {RolloutState.ROLLING_BACK, RolloutState.ROLLED_BACK} or not rollout.withdrawn_bp:
        return ""
    share = weight(rollout.withdrawn_bp - rollout.weight_bp)
    if rollout.on_withdraw == "stable" or (
        rollout.state == RolloutState.ROLLED_BACK and not is_withdrawn(rollout)
    ):
        return f"The {share} of units that left the candidate get the stable release."
    return f"The {share} of units that left the candidate get the safe mode until the incident is mitigated."


def _since(rollout: Rollout, rules: Sequence[RuleSpec], until: datetime, *, whole: bool) -> datetime:
    if whole:
        return rollout.created_at
    return max(rollout.created_at, until - max(LEAST_SPAN, 3 * _longest(rules)))


def _longest(rules: Sequence[RuleSpec]) -> timedelta:
    return timedelta(seconds=max((longest_window_s(rule.rule) for rule in rules), default=0))


def _evaluations(rules: Iterable[RuleSpec], series: MinuteSeries, now: datetime) -> dict[str, Evaluation]:
    reader = SeriesReader(series, now)
    return {rule.id: evaluate(rule.rule, reader, min_samples=rule.min_samples) for rule in rules}


def _latest(rollout: Rollout, rules: Iterable[RuleSpec]) -> dict[str, Evaluation]:
    """What the controller measured last, for a rollout that is over."""
    rows = (
        Measurement.objects.filter(rollout=rollout, rule_id__in=[rule.id for rule in rules])
        .order_by("rule_id", "-id")
        .distinct("rule_id")
    )
    return {row.rule_id: stored_evaluation(row.body) for row in rows}


def stored_evaluation(body: Mapping[str, Any]) -> Evaluation:
    """The inverse of `Evaluation.to_dict`."""
    return Evaluation(
        verdict=Verdict(body["verdict"]),
        conditions=tuple(
            ConditionResult(
                **{
                    **item,
                    "verdict": Verdict(item["verdict"]),
                    "candidate": Window(**item["candidate"]) if item["candidate"] else None,
                    "baseline": Window(**item["baseline"]) if item["baseline"] else None,
                }
            )
            for item in body["conditions"]
        ),
    )


def _hold(
    rollout: Rollout,
    policy: Policy,
    rules: tuple[RuleSpec, ...],
    evaluations: Mapping[str, Evaluation],
    now: datetime,
) -> Hold | None:
    """What the controller would wait for now; `None` when it is about to move."""
    decision = decide(controller_view(rollout, policy, rules), evaluations, now)
    return decision if isinstance(decision, Hold) else None


def _marks(decisions: Sequence[RolloutDecision], since: datetime, until: datetime) -> list[dict[str, Any]]:
    """A mark at each change of weight."""
    return [
        {"at": int(one.at.timestamp()), "label": weight(one.to_weight_bp)}
        for one in decisions
        if one.from_weight_bp != one.to_weight_bp and since <= one.at <= until
    ]
