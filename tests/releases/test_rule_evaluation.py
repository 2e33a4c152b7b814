from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.routing import Arm
from releases.rules import Evaluation, MeasurementFailed, Verdict, Window, evaluate, parse
from releases.rules.verdicts import all_of, any_of

PASS, FAIL, INCONCLUSIVE, NO_DATA, ERROR = Verdict
DAY = 86_400


def rate(hits: int, n: int, covered_s: float = DAY) -> Window:
    return Window(value=hits / n if n else None, n=n, lower=None, upper=None, covered_s=covered_s)


def mean(value: float, n: int = 1_000, covered_s: float = DAY) -> Window:
    return Window(value=value, n=n, lower=None, upper=None, covered_s=covered_s)


@dataclass
class Readings:
    """A reader over fixed windows that notes what it was asked."""

    windows: Mapping[tuple[str, Arm], Window]
    asked: list[tuple[str, Arm, int]] = field(default_factory=list)

    def window(self, metric: str, arm: Arm, seconds: int) -> Window | None:
        self.asked.append((metric, arm, seconds))
        return self.windows.get((metric, arm))


def judge(
    text: str, candidate: Window | None, stable: Window | None = None, *, min_samples: int = 100
) -> Evaluation:
    metric = text.split(maxsplit=1)[0]
    windows = {(metric, Arm.CANDIDATE): candidate, (metric, Arm.STABLE): stable}
    readings = Readings({key: window for key, window in windows.items() if window is not None})
    return evaluate(parse(text), readings, min_samples=min_samples)


def test_a_breach_says_value_counts_window_and_limit() -> None:
    result = judge("policy_filter_rate > 0.5% for 10m", rate(12, 1_004))
    assert result.verdict is FAIL
    assert result.sentences == ("Policy hits 1.2\u00a0% (12 of 1,004) over 10\u00a0min, limit 0.5\u00a0%.",)
    (condition,) = result.conditions
    assert condition.limit == 0.005
    assert condition.candidate == rate(12, 1_004)


@pytest.mark.parametrize(
    ("operator", "verdicts"),
    [
        (">", (PASS, PASS, FAIL)),
        (">=", (PASS, FAIL, FAIL)),
        ("<", (FAIL, PASS, PASS)),
        ("<=", (FAIL, FAIL, PASS)),
    ],
)
def test_comparisons_below_at_and_above_the_limit(operator: str, verdicts: tuple[Verdict, ...]) -> None:
    results = [judge(f"error_rate {operator} 5%", rate(hits, 1_000)).verdict for hits in (49, 50, 51)]
    assert tuple(results) == verdicts


def test_the_window_is_the_trailing_duration_of_the_condition() -> None:
    readings = Readings({})
    evaluate(
        parse("error_rate > 1% for 10m or error_rate worse than baseline by 5%"), readings, min_samples=1
    )
    assert readings.asked == [
        ("error_rate", Arm.CANDIDATE, 600),
        ("error_rate", Arm.CANDIDATE, 300),
        ("error_rate", Arm.STABLE, 300),
    ]


def test_too_few_samples_are_inconclusive_and_say_how_many_are_missing() -> None:
    result = judge("error_rate > 1% for 10m", rate(88, 88))
    assert result.verdict is INCONCLUSIVE
    assert result.conditions[0].samples_missing == 12
    assert result.sentences == (
        "Failed calls over 10\u00a0min: the candidate needs 12 more samples (has 88) to be judged.",
    )


@pytest.mark.parametrize(("covered_s", "verdict"), [(600, FAIL), (540, FAIL), (539, INCONCLUSIVE)])
def test_a_breach_needs_the_whole_window_less_one_bucket(covered_s: float, verdict: Verdict) -> None:
    assert judge("error_rate > 1% for 10m", rate(500, 1_000, covered_s)).verdict is verdict


def test_a_window_that_is_not_covered_does_not_pass_either() -> None:
    result = judge("error_rate > 1% for 1h", rate(0, 1_000, 600))
    assert result.verdict is INCONCLUSIVE
    assert result.conditions[0].seconds_missing == 3_000
    assert "50\u00a0min more of measurement" in result.sentences[0]


@pytest.mark.parametrize("window", [None, rate(0, 0), Window(None, 50, None, None, DAY)])
def test_no_samples_are_no_data(window: Window | None) -> None:
    result = judge("error_rate > 1% for 10m", window)
    assert result.verdict is NO_DATA
    assert result.conditions[0].samples_missing == 100


def test_a_metric_of_labels_that_nobody_gave_is_no_data_and_waits_for_them() -> None:
    result = judge("hallucination_rate > 5%", None)
    assert result.verdict is NO_DATA
    assert result.sentences == (
        "Hallucinated answers: waits for labels; nobody judged answers of the candidate over 5\u00a0min.",
    )
    too_few = judge("hallucination_rate > 5% for 1h", rate(1, 99))
    assert "needs 1 more labels (has 99)" in too_few.sentences[0]


def test_a_value_that_is_no_number_is_an_error() -> None:
    assert judge("p95_latency_ms > 800ms", mean(float("nan"))).verdict is ERROR


def test_a_source_that_fails_is_an_error_with_its_own_words() -> None:
    class Broken:
        def window(self, metric: str, arm: Arm, seconds: int) -> Window | None:
            raise MeasurementFailed("the metric store does not answer.")

    result = evaluate(parse("error_rate > 1%"), Broken(), min_samples=1)
    assert result.verdict is ERROR
    assert result.sentences == ("Failed calls could not be measured: the metric store does not answer.",)


def test_worse_than_an_absent_baseline_is_no_data() -> None:
    result = judge("error_rate worse than baseline by 10%", rate(500, 1_000), None)
    assert result.verdict is NO_DATA
    assert result.conditions[0].limit is None
    assert "no data from stable" in result.sentences[0]


def test_a_thin_baseline_is_inconclusive() -> None:
    result = judge("error_rate worse than baseline by 10%", rate(500, 1_000), rate(0, 40))
    assert result.verdict is INCONCLUSIVE
    assert "stable needs 60 more samples" in result.sentences[0]


def test_a_rate_that_is_clearly_worse_than_baseline_fails() -> None:
    result = judge("policy_filter_rate worse than baseline by 10% for 10m", rate(24, 1_000), rate(60, 10_000))
    assert result.verdict is FAIL
    assert result.sentences == (
        "Policy hits 2.4\u00a0% (24 of 1,000) over 10\u00a0min, stable 0.6\u00a0% (60 of 10,000), limit 0.66\u00a0%.",
    )


def test_a_rate_that_is_worse_by_what_may_be_chance_is_inconclusive() -> None:
    result = judge("policy_filter_rate worse than baseline by 10%", rate(8, 1_000), rate(60, 10_000))
    assert result.verdict is INCONCLUSIVE
    assert result.sentences[0].endswith("; the difference may still be chance.")


def test_where_higher_is_better_worse_means_lower() -> None:
    text = "success_rate worse than baseline by 2pp"
    assert judge(text, rate(900, 1_000), rate(9_900, 10_000)).verdict is FAIL
    assert judge(text, rate(980, 1_000), rate(9_900, 10_000)).verdict is PASS
    assert judge(text, rate(1_000, 1_000), rate(9_000, 10_000)).verdict is PASS


def test_percentage_points_are_added_and_percent_is_a_share_of_the_baseline() -> None:
    candidate, stable = rate(1_150, 10_000), rate(1_000, 10_000)
    points = judge("error_rate worse than baseline by 2pp", candidate, stable)
    percent = judge("error_rate worse than baseline by 2%", candidate, stable)
    assert (points.verdict, percent.verdict) == (PASS, FAIL)
    assert points.conditions[0].limit == pytest.approx(0.12)
    assert percent.conditions[0].limit == pytest.approx(0.102)


def test_means_and_percentiles_compare_their_values() -> None:
    text = "p95_latency_ms worse than baseline by 20%"
    assert judge(text, mean(1_300.0), mean(1_000.0)).verdict is FAIL
    assert judge(text, mean(1_200.0), mean(1_000.0)).verdict is PASS
    money = judge("cost_per_1k_requests_usd worse than baseline by 20%", mean(2.5e9), mean(2e9))
    assert money.sentences[0] == (
        "Cost per 1,000 requests $2.5 (1,000 samples) over 5\u00a0min, stable $2 (1,000 samples), limit $2.4."
    )


@given(st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_arm_is_never_worse_than_itself(data: tuple[int, int]) -> None:
    same = rate(*data)
    assert judge("error_rate worse than baseline by 0%", same, same, min_samples=1).verdict is PASS


verdicts = st.sampled_from(Verdict)


@given(st.lists(verdicts, min_size=1, max_size=5))
def test_or_fails_with_any_part_and_passes_only_with_all(parts: list[Verdict]) -> None:
    result = any_of(parts)
    assert (result is FAIL) == (FAIL in parts)
    assert (result is PASS) == all(part is PASS for part in parts)
    assert result in parts


@given(st.lists(verdicts, min_size=1, max_size=5))
def test_and_fails_only_with_all_parts_and_passes_with_any(parts: list[Verdict]) -> None:
    result = all_of(parts)
    assert (result is FAIL) == all(part is FAIL for part in parts)
    assert (result is PASS) == (PASS in parts)
    assert result in parts


def test_the_undecided_parts_decide_by_the_worst() -> None:
    assert any_of([PASS, INCONCLUSIVE, NO_DATA]) is NO_DATA
    assert all_of([FAIL, INCONCLUSIVE, ERROR]) is ERROR


def test_every_condition_is_measured_and_those_that_decide_speak() -> None:
    rule = parse("error_rate > 1% or policy_filter_rate > 1% or (p95_latency_ms > 1s and success_rate < 50%)")
    windows = {
        ("error_rate", Arm.CANDIDATE): rate(0, 1_000),
        ("policy_filter_rate", Arm.CANDIDATE): rate(20, 1_000),
        ("p95_latency_ms", Arm.CANDIDATE): mean(2_000.0),
        ("success_rate", Arm.CANDIDATE): rate(1_000, 1_000),
    }
    result = evaluate(rule, Readings(windows), min_samples=10)
    assert result.verdict is FAIL
    assert [c.verdict for c in result.conditions] == [PASS, FAIL, FAIL, PASS]


@given(
    st.sampled_from(["error_rate > 1%", "error_rate worse than baseline by 5%", "error_rate < 1% for 1h"]),
    st.none() | st.builds(rate, st.integers(0, 5), st.integers(5, 99), st.floats(0, DAY)),
)
def test_missing_data_never_passes_and_never_fails(text: str, window: Window | None) -> None:
    assert judge(text, window, rate(0, 1_000)).verdict in {INCONCLUSIVE, NO_DATA}


def test_an_evaluation_is_plain_json() -> None:
    document = judge("error_rate worse than baseline by 5%", rate(1, 1_000), None).to_dict()
    assert json.loads(json.dumps(document)) == document
    assert document["verdict"] == "no_data"
    assert document["conditions"][0]["condition"] == "error_rate worse than baseline by 5%"
    assert json.dumps(judge("p95_latency_ms > 1", mean(float("inf"))).to_dict(), allow_nan=False)


def test_a_rule_without_a_sample_floor_is_refused() -> None:
    with pytest.raises(ValueError, match="min_samples"):
        judge("error_rate > 1%", rate(1, 10), min_samples=0)
