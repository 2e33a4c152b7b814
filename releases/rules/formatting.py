"""From a rule's tree back to its text: `parse(format_rule(rule)) == rule`."""

from __future__ import annotations

from releases.rules.nodes import And, Condition, MarginMode, Or, Rule, Threshold, metric_of
from releases.rules.quantities import plain, write_limit, write_window


def format_rule(rule: Rule) -> str:
    """The canonical text: one space between words, nested groups in parentheses, canonical units."""
    if isinstance(rule, And | Or):
        word = " and " if isinstance(rule, And) else " or "
        return word.join(_nested(part) for part in rule.parts)
    return _condition(rule)


def _nested(part: Rule) -> str:
    text = format_rule(part)
    return f"({text})" if isinstance(part, And | Or) else text


def _condition(condition: Condition) -> str:
    if isinstance(condition, Threshold):
        text = f"{condition.metric} {condition.operator} {write_limit(condition.limit, metric_of(condition))}"
    else:
        unit = "pp" if condition.mode is MarginMode.ABSOLUTE else "%"
        text = f"{condition.metric} worse than baseline by {plain(condition.margin * 100)}{unit}"
    return text if condition.window_s is None else f"{text} for {write_window(condition.window_s)}"
