"""Rules as people read them: the verdict in words, and one chart of candidate against stable for each condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from releases.rules import (
    CATALOGUE,
    And,
    Evaluation,
    Operator,
    Or,
    Rule,
    RuleAction,
    RuleSpec,
    Threshold,
    WorseThanBaseline,
    format_rule,
)
from releases.rules.nodes import Condition, MarginMode, conditions, window_s_of
from releases.rules.sentences import amount, duration, number
from releases.selectors.rolling_charts import rolling_chart
from telemetry.metrics import MinuteSeries
from telemetry.metrics.base import Category

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


@dataclass(frozen=True)
class RuleView:
    """One rule of a policy: its text, what it means, and how it stands (`verdict` is empty where nothing runs).

    `waits_for_labels` while people have judged too few answers for it.
    """

    id: str
    when: str
    words: str
    severity: str
    action: str
    min_samples: int
    verdict: str = ""
    sentences: tuple[str, ...] = ()
    charts: tuple[Mapping[str, Any], ...] = ()
    waits_for_labels: bool = False


def rule_in_words(spec: RuleSpec) -> str:
    """“Policy hits above 0.5 % over 10 min: rolls back in steps and opens a P1 incident.”"""
    what = _ACTIONS[spec.action]
    if spec.action is not RuleAction.HOLD:
        what += f" and opens a {spec.severity.value} incident"
    return f"{_rule(spec.rule)}: {what}."


def _rule(rule: Rule) -> str:
    if isinstance(rule, And | Or):
        parts = [f"({_rule(part)})" if isinstance(part, And | Or) else _rule(part) for part in rule.parts]
        return (" and " if isinstance(rule, And) else ", or ").join(parts)
    metric = CATALOGUE[rule.metric]
    window = f"over {duration(window_s_of(rule))}"
    if isinstance(rule, Threshold):
        limit = amount(float(rule.limit), metric.unit)
        return f"{metric.title} {_COMPARISONS[rule.operator]} {limit} {window}"
    margin = f"{number(float(rule.margin) * 100)} {_MARGINS[rule.mode]}"
    return f"{metric.title} worse than stable by {margin} {window}"


_MARGINS = {MarginMode.RELATIVE: "%", MarginMode.ABSOLUTE: "points"}


def described(specs: Iterable[RuleSpec]) -> list[RuleView]:
    """Rules without a rollout, for the policy page."""
    return [_view(spec) for spec in specs]


def judged(
    specs: Sequence[RuleSpec],
    evaluations: Mapping[str, Evaluation],
    series: MinuteSeries,
    *,
    since: datetime,
    until: datetime,
    marks: Sequence[Mapping[str, Any]],
) -> list[RuleView]:
    """Rules with their verdict at `until` and their charts over `series`."""
    return [
        _view(
            spec,
            verdict=found.verdict.value if found else "no_data",
            sentences=found.sentences if found else ("Not evaluated yet.",),
            charts=tuple(_charts(spec, found, series, since=since, until=until, marks=marks)),
            waits_for_labels=found is not None and _waits_for_labels(found),
        )
        for spec, found in ((spec, evaluations.get(spec.id)) for spec in specs)
    ]


def _waits_for_labels(evaluation: Evaluation) -> bool:
    return any(
        result.samples_missing and CATALOGUE[result.metric].category is Category.LABELS
        for result in evaluation.conditions
    )


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
    since: datetime,
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
        data = rolling_chart(series, condition.metric, seconds, since=since, until=until)
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
