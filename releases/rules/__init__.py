"""The rule language: when is a release bad? Pure: text to tree, tree to verdict.

`policy_filter_rate > 0.5% for 10m or hallucination_score worse than baseline by 10% for 30m`
"""

from __future__ import annotations

from releases.rules.errors import RuleSyntaxError
from releases.rules.evaluation import evaluate
from releases.rules.formatting import format_rule
from releases.rules.measurements import ConditionResult, Evaluation, MeasurementFailed, Window, WindowReader
from releases.rules.nodes import (
    And,
    MarginMode,
    Operator,
    Or,
    Rule,
    Threshold,
    WorseThanBaseline,
    longest_window_s,
    metrics_used,
)
from releases.rules.parsing import parse
from releases.rules.spec import RuleAction, RuleSpec, Severity, read_rules, without_baselines
from releases.rules.verdicts import Verdict
from telemetry.metrics.base import Metric
from telemetry.metrics.catalogue import CATALOGUE

__all__ = [
    "CATALOGUE",
    "And",
    "ConditionResult",
    "Evaluation",
    "MarginMode",
    "MeasurementFailed",
    "Metric",
    "Operator",
    "Or",
    "Rule",
    "RuleAction",
    "RuleSpec",
    "RuleSyntaxError",
    "Severity",
    "Threshold",
    "Verdict",
    "Window",
    "WindowReader",
    "WorseThanBaseline",
    "evaluate",
    "format_rule",
    "longest_window_s",
    "metrics_used",
    "parse",
    "read_rules",
    "without_baselines",
]
