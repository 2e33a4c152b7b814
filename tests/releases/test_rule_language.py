from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.rules import (
    CATALOGUE,
    And,
    MarginMode,
    Operator,
    Or,
    Rule,
    RuleSyntaxError,
    Threshold,
    WorseThanBaseline,
    format_rule,
    longest_window_s,
    metrics_used,
    parse,
)
from releases.rules.nodes import DEFAULT_WINDOW_S, without_baseline
from telemetry.metrics.base import Direction, Unit

EXAMPLE = "policy_filter_rate > 0.5% for 10m or hallucination_score worse than baseline by 10% for 30m"


def _limits(unit: Unit) -> st.SearchStrategy[Decimal]:
    match unit:
        case Unit.RATIO:
            return st.decimals(0, 1, places=6)
        case Unit.MS | Unit.COUNT:
            return st.decimals(0, 100_000, places=3)
        case Unit.USD_NANOS:
            return st.integers(0, 10**12).map(Decimal)


windows = st.none() | st.integers(1, 30 * 86_400)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    metric = draw(st.sampled_from(sorted(CATALOGUE)))
    limit = draw(_limits(CATALOGUE[metric].unit))
    return Threshold(metric, draw(st.sampled_from(Operator)), limit, draw(windows))


@st.composite
def regressions(draw: st.DrawFn) -> WorseThanBaseline:
    metric = CATALOGUE[draw(st.sampled_from(sorted(CATALOGUE)))]
    modes = list(MarginMode) if metric.unit is Unit.RATIO else [MarginMode.RELATIVE]
    mode = draw(st.sampled_from(modes))
    bounded = mode is MarginMode.ABSOLUTE or metric.direction is Direction.HIGHER_IS_BETTER
    margin = draw(st.decimals(0, Decimal("0.9999") if bounded else 20, places=4))
    return WorseThanBaseline(metric.name, margin, mode, draw(windows))


rules: st.SearchStrategy[Rule] = st.recursive(
    thresholds() | regressions(),
    lambda parts: st.builds(
        lambda kind, children: kind(tuple(children)),
        st.sampled_from([And, Or]),
        st.lists(parts, min_size=2, max_size=3),
    ),
    max_leaves=6,
)


@given(rules)
def test_a_rule_that_is_written_and_read_again_is_the_same_rule(rule: Rule) -> None:
    text = format_rule(rule)
    assert parse(text) == rule
    assert format_rule(parse(text)) == text


@given(st.text(max_size=60) | st.text(alphabet="porandf >=<%()0159.mshd_rate", max_size=60))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    try:
        parse(text)
    except RuleSyntaxError as refused:
        error = refused
    else:
        return
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert error.hint


def test_the_example_reads_as_two_conditions() -> None:
    assert parse(EXAMPLE) == Or(
        (
            Threshold("policy_filter_rate", Operator.ABOVE, Decimal("0.005"), 600),
            WorseThanBaseline("hallucination_score", Decimal("0.1"), MarginMode.RELATIVE, 1_800),
        )
    )
    assert format_rule(parse(EXAMPLE)) == EXAMPLE


def test_and_binds_tighter_than_or_and_parentheses_decide() -> None:
    a, b, c = (parse(f"{name} > 1%") for name in ("error_rate", "policy_filter_rate", "hallucination_rate"))
    text = "error_rate > 1% or policy_filter_rate > 1% and hallucination_rate > 1%"
    assert parse(text) == Or((a, And((b, c))))
    assert format_rule(parse(text)).endswith("or (policy_filter_rate > 1% and hallucination_rate > 1%)")
    grouped = "(error_rate > 1% or policy_filter_rate > 1%) and hallucination_rate > 1%"
    assert parse(grouped) == And((Or((a, b)), c))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("ERROR_RATE > 1%".lower().replace(" > ", ">"), "error_rate > 1%"),
        ("error_rate > 0.01", "error_rate > 1%"),
        ("error_rate >= 1.50 %  FOR 90S", "error_rate >= 1.5% for 90s"),
        ("success_rate < 99% For 60m", "success_rate < 99% for 1h"),
        ("p95_latency_ms > 1.5s", "p95_latency_ms > 1500ms"),
        ("p95_latency_ms > 800", "p95_latency_ms > 800ms"),
        ("cost_per_1k_requests_usd > 2.50USD", "cost_per_1k_requests_usd > 2.5usd"),
        ("tokens_per_request <= 900", "tokens_per_request <= 900"),
        (
            "error_rate Worse Than Baseline By 2% Absolute",
            "error_rate worse than baseline by 2pp",
        ),
        ("error_rate worse than baseline by 2pp absolute", "error_rate worse than baseline by 2pp"),
        ("error_rate worse than baseline by 10% relative", "error_rate worse than baseline by 10%"),
        ("((error_rate > 1%))", "error_rate > 1%"),
        ("error_rate\n >\t1% for 48h", "error_rate > 1% for 2d"),
    ],
)
def test_spellings_of_one_rule_have_one_canonical_form(text: str, canonical: str) -> None:
    assert format_rule(parse(text)) == canonical


def test_limits_are_exact_and_in_the_unit_of_their_metric() -> None:
    rule = parse("cost_per_1k_requests_usd > 0.10usd")
    assert isinstance(rule, Threshold)
    assert rule.limit == 100_000_000
    assert rule.window_s is None
    assert longest_window_s(rule) == DEFAULT_WINDOW_S


def test_a_rule_knows_its_metrics_and_its_longest_window() -> None:
    assert metrics_used(parse(EXAMPLE)) == {"policy_filter_rate", "hallucination_score"}
    assert longest_window_s(parse(EXAMPLE)) == 1_800


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("policy_filter_rat > 0.5%", 1, 1, "did you mean policy_filter_rate?"),
        ("error_rate > 1% or Error_Rate > 2%", 1, 20, "did you mean error_rate?"),
        ("zzz > 1", 1, 1, "known are cost_per_1k_requests_usd"),
        ("", 1, 1, "expected a metric name"),
        ("error_rate >", 1, 13, "expected a number"),
        ("error_rate > 1% or\n  ", 1, 19, "expected a metric name"),
        ("error_rate 5%", 1, 12, "expected a comparison"),
        ("error_rate > -5%", 1, 14, "expected a number"),
        ("error_rate > 5%\x00", 1, 16, "expected “for”"),
        ("error_rate > 5% error_rate > 2%", 1, 17, "the end of the rule"),
        ("error_rate worse than basline by 5%", 1, 23, "expected “baseline”"),
        ("(error_rate > 5%", 1, 17, "“)”"),
        ("(error_rate > 5% or success_rate < 9%) for 10m", 1, 40, "belongs to one condition"),
        ("error_rate >\n  5usd", 2, 4, "a share such as 0.5%"),
        ("error_rate > 5", 1, 14, "or 5% if that is what you mean"),
        ("p95_latency_ms > 2usd", 1, 19, "800ms or 1.5s"),
        ("error_rate > 5% for 10", 1, 23, "30s, 10m"),
        ("error_rate > 5% for 0m", 1, 21, "1s to 30d"),
        ("error_rate > 5% for 31d", 1, 21, "1s to 30d"),
        ("error_rate > 5% for 1.5h", 1, 21, "whole seconds"),
        ("error_rate worse than baseline by 5", 1, 36, "2pp"),
        ("error_rate worse than baseline by 5pp relative", 1, 39, "leave “relative” out"),
        ("p95_latency_ms worse than baseline by 5pp", 1, 39, "a relative margin"),
        ("success_rate worse than baseline by 100%", 1, 37, "less than 100%"),
        ("tokens_per_request > 1234567890123", 1, 22, "at most 12"),
        ("or > 3", 1, 1, "expected a metric name"),
    ],
)
def test_an_error_stands_at_its_column_and_says_what_would_be_right(
    text: str, line: int, column: int, words: str
) -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.hint
    assert caught.value.extra == {"line": line, "column": column, "hint": caught.value.hint}


def test_a_rule_of_unreasonable_length_is_refused_before_it_is_read() -> None:
    with pytest.raises(RuleSyntaxError, match="too long"):
        parse("(" * 100_000)


def test_deep_nesting_is_read_without_recursion_trouble() -> None:
    assert parse("(" * 900 + "error_rate > 1%" + ")" * 900) == parse("error_rate > 1%")


def test_a_margin_of_more_than_all_is_fine_where_lower_is_better() -> None:
    assert format_rule(parse("p95_latency_ms worse than baseline by 150%")).endswith("by 150%")


@pytest.mark.parametrize(
    ("text", "reduced"),
    [
        ("error_rate > 1% or error_rate worse than baseline by 5%", "error_rate > 1%"),
        ("error_rate > 1% and error_rate worse than baseline by 5%", None),
        ("error_rate worse than baseline by 5%", None),
        ("error_rate > 1% and success_rate < 9%", "error_rate > 1% and success_rate < 9%"),
        (
            "error_rate > 1% or error_rate > 2% or (error_rate > 0 and error_rate worse than baseline by 5%)",
            "error_rate > 1% or error_rate > 2%",
        ),
    ],
)
def test_without_a_stable_arm_only_what_needs_none_remains(text: str, reduced: str | None) -> None:
    rest = without_baseline(parse(text))
    assert (format_rule(rest) if rest else None) == reduced
