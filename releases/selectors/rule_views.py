"""Rules as people read them: the verdict in words, and one chart of candidate against stable for each condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from releases.routing import Arm
from releases.rules import (
    CATALOGUE,
    Evaluation,
    Operator,
    RuleAction,
    RuleSpec,
    Threshold,
    WorseThanBaseline,
    format_rule,
)
from releases.rules.nodes import Condition, MarginMode, conditions, window_s_of
from releases.rules.sentences import amount, duration, number
from telemetry.metrics import MinuteSeries, chart

_ACTIONS = {
    RuleAction.STEP: "rolls back in steps",
    RuleAction.CUT: "takes all traffic away at once",
    RuleAction.HOLD: "holds the rollout where it is",
}
_COMPARISONS = {
    Operator.ABOVE: "above",
    Operator.AT_LEAST: "at or above",
    Operator.BELOW: "below",
    Operator.AT_MOST: "at or below",
}
ARMS = (Arm.CANDIDATE.value, Arm.STABLE.value)


@dataclass(frozen=True)
class RuleView:
    """One rule of a policy: its text, what it means, and how it stands (`verdict` is empty where nothing runs)."""

    id: str
    when: str
    words: str
    severity: str
    action: str
    min_samples: int
    verdict: str = ""
    sentences: tuple[str, ...] = ()
    charts: tuple[Mapping[str, Any], ...] = ()


def rule_in_words(spec: RuleSpec) -> str:
    """“Rolls back in steps and opens a P1 incident when policy hits are above 0.5 % for 10 min.”"""
    what = f"{_ACTIONS[spec.action]} and opens a {spec.severity.value} incident"
    if spec.action is RuleAction.HOLD:
        what = _ACTIONS[spec.action]
    return f"{what[:1].upper()}{what[1:]} when {_joined(spec)}."


def _joined(spec: RuleSpec) -> str:
    parts = [_condition(condition) for condition in conditions(spec.rule)]
    if len(parts) == 1:
        return parts[0]
    words = " and " if " and " in spec.when and " or " not in spec.when else " or "
    if " and " in spec.when and " or " in spec.when:
        return f"this holds: {spec.when}"
    return words.join(parts)


def _condition(condition: Condition) -> str:
    metric = CATALOGUE[condition.metric]
    window = f"for {duration(window_s_of(condition))}"
    title = metric.title[:1].lower() + metric.title[1:]
    if isinstance(condition, Threshold):
        limit = amount(float(condition.limit), metric.unit)
        return f"{title}: {_COMPARISONS[condition.operator]} {limit} {window}"
    margin = f"{number(float(condition.margin) * 100)} {_MARGINS[condition.mode]}"
    return f"{title}: worse than stable by {margin} {window}"


_MARGINS = {MarginMode.RELATIVE: "%", MarginMode.ABSOLUTE: "points"}


def described(specs: Iterable[RuleSpec]) -> list[RuleView]:
    """Rules without a rollout, for the policy page."""
    return [_view(spec) for spec in specs]


def judged(
    specs: Sequence[RuleSpec],
    evaluations: Mapping[str, Evaluation],
    series: MinuteSeries,
    *,
    until: datetime,
    marks: Sequence[Mapping[str, Any]],
) -> list[RuleView]:
    """Rules with their verdict at `until` and their charts over `series`."""
    return [
        _view(
            spec,
            verdict=found.verdict.value if found else "no_data",
            sentences=found.sentences if found else ("Not evaluated yet.",),
            charts=tuple(_charts(spec, found, series, until=until, marks=marks)),
        )
        for spec, found in ((spec, evaluations.get(spec.id)) for spec in specs)
    ]


def _view(spec: RuleSpec, **more: Any) -> RuleView:
    return RuleView(
        id=spec.id,
        when=spec.when,
        words=rule_in_words(spec),
        severity=spec.severity.value,
        action=spec.action.value,
        min_samples=spec.min_samples,
        **more,
    )


def _charts(
    spec: RuleSpec,
    evaluation: Evaluation | None,
    series: MinuteSeries,
    *,
    until: datetime,
    marks: Sequence[Mapping[str, Any]],
) -> Iterable[Mapping[str, Any]]:
    measured = {result.condition: result.limit for result in evaluation.conditions} if evaluation else {}
    for index, condition in enumerate(conditions(spec.rule)):
        metric = CATALOGUE[condition.metric]
        limit = measured.get(format_rule(condition))
        if limit is None and isinstance(condition, Threshold):
            limit = float(condition.limit)
        seconds = window_s_of(condition)
        data = dict(chart(series, condition.metric, ARMS))
        if limit is not None:
            data["limit"] = {"value": limit, "label": "Limit", "breach": _breach(condition)}
        data["window"] = {
            "from": int((until - timedelta(seconds=seconds)).timestamp()),
            "to": int(until.timestamp()),
            "label": f"for {duration(seconds)}",
        }
        data["marks"] = list(marks)
        yield {"id": f"{spec.id}-{index}", "title": metric.title, "data": data}


def _breach(condition: Condition) -> str:
    if isinstance(condition, WorseThanBaseline):
        return "above" if CATALOGUE[condition.metric].direction == "lower_is_better" else "below"
    return "above" if condition.operator in {Operator.ABOVE, Operator.AT_LEAST} else "below"
