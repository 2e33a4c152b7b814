from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from providers import FailureKind
from registry.breaker import BreakerSettings
from serving.answers import Answer
from serving.breaker import COUNTED, Breaker, BreakerState, Outcome
from serving.last_answers import LastAnswers, answer_key
from serving.routing import Decision

SETTINGS = BreakerSettings(failure_ratio_bp=5_000, min_calls=4, window_s=10, open_s=5, half_open_calls=2)


def call(breaker: Breaker, outcome: Outcome, now: float) -> None:
    permit = breaker.admit(now)
    assert permit is not None
    breaker.report(permit, outcome, now)


def opened(now: float = 100.0) -> Breaker:
    breaker = Breaker(SETTINGS)
    for _ in range(4):
        call(breaker, Outcome.FAILURE, now)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_too_few_calls_never_open_it() -> None:
    breaker = Breaker(SETTINGS)
    for _ in range(3):
        call(breaker, Outcome.FAILURE, 0.0)
    assert breaker.state is BreakerState.CLOSED


def test_failures_below_the_ratio_leave_it_closed_and_at_the_ratio_open_it() -> None:
    breaker = Breaker(SETTINGS)
    for outcome in (Outcome.SUCCESS, Outcome.SUCCESS, Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE):
        call(breaker, outcome, 0.0)
    call(breaker, Outcome.FAILURE, 0.0)
    assert breaker.admit(0.0) is None


def test_failures_older_than_the_window_are_forgotten() -> None:
    breaker = Breaker(SETTINGS)
    for _ in range(3):
        call(breaker, Outcome.FAILURE, 0.0)
    call(breaker, Outcome.FAILURE, 10.0)
    assert breaker.state is BreakerState.CLOSED


def test_ignored_outcomes_count_neither_as_calls_nor_as_failures() -> None:
    breaker = Breaker(SETTINGS)
    for _ in range(20):
        call(breaker, Outcome.IGNORED, 0.0)
    for _ in range(3):
        call(breaker, Outcome.FAILURE, 0.0)
    assert breaker.state is BreakerState.CLOSED


def test_open_admits_nothing_and_says_when_to_come_back() -> None:
    breaker = opened()
    assert breaker.admit(104.9) is None
    assert breaker.retry_after_s(102.0) == 3.0
    assert breaker.retry_after_s(104.9) == 1.0


def test_half_open_admits_the_trial_calls_and_closes_when_all_succeed() -> None:
    breaker = opened()
    first, second = breaker.admit(105.0), breaker.admit(105.0)
    assert first is not None
    assert second is not None
    assert breaker.admit(105.0) is None
    breaker.report(first, Outcome.SUCCESS, 106.0)
    assert breaker.admit(106.0) is None
    breaker.report(second, Outcome.SUCCESS, 106.0)
    assert breaker.state is BreakerState.CLOSED


def test_one_failed_trial_call_opens_it_again_for_the_whole_time() -> None:
    breaker = opened()
    call(breaker, Outcome.SUCCESS, 105.0)
    call(breaker, Outcome.FAILURE, 107.0)
    assert breaker.state is BreakerState.OPEN
    assert breaker.admit(111.9) is None
    assert breaker.admit(112.0) is not None


def test_an_ignored_trial_call_gives_its_place_to_another() -> None:
    breaker = opened()
    for _ in range(5):
        call(breaker, Outcome.IGNORED, 105.0)
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.admit(105.0) is not None


def test_a_call_from_before_a_transition_changes_nothing() -> None:
    breaker = Breaker(SETTINGS)
    late = breaker.admit(0.0)
    assert late is not None
    for _ in range(4):
        call(breaker, Outcome.FAILURE, 0.0)
    trial = breaker.admit(5.0)
    assert trial is not None
    breaker.report(late, Outcome.FAILURE, 5.0)
    assert breaker.state is BreakerState.HALF_OPEN


def test_faults_of_a_request_or_a_credential_are_not_the_providers_trouble() -> None:
    assert set(FailureKind) - COUNTED == {
        FailureKind.BAD_REQUEST,
        FailureKind.UNAUTHORIZED,
        FailureKind.TOO_LARGE,
    }


class AnyTraffic(RuleBasedStateMachine):
    """Calls begin, overlap and end in any order while time passes; a plain list of outcomes is the model."""

    def __init__(self) -> None:
        super().__init__()
        self.entered: list[BreakerState] = []
        self.breaker = Breaker(SETTINGS, on_transition=self.entered.append)
        self.now = 0.0
        self.under_way: list[tuple[int, int]] = []
        self.outcomes: list[tuple[int, bool]] = []
        self.opened_at = 0.0

    @rule(seconds=st.sampled_from([0.0, 0.25, 1.0, 4.75, 5.0, 10.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_call_asks_to_begin(self) -> None:
        before = self.breaker.state
        waited = self.now - self.opened_at
        permit = self.breaker.admit(self.now)
        if before is BreakerState.CLOSED:
            assert permit is not None
        elif before is BreakerState.OPEN:
            assert (permit is not None) == (waited >= SETTINGS.open_s)
        if permit is not None:
            self.under_way.append((permit, len(self.entered)))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome))
    def a_call_ends(self, data: st.DataObject, outcome: Outcome) -> None:
        index = data.draw(st.integers(0, len(self.under_way) - 1))
        permit, period = self.under_way.pop(index)
        current, before = period == len(self.entered), self.breaker.state
        self.breaker.report(permit, outcome, self.now)
        if not current:
            assert self.breaker.state is before
        elif before is BreakerState.CLOSED:
            if outcome is not Outcome.IGNORED:
                self.outcomes.append((int(self.now), outcome is Outcome.FAILURE))
            recent = [failed for at, failed in self.outcomes if at > int(self.now) - SETTINGS.window_s]
            due = len(recent) >= 4 and sum(recent) * 10_000 >= 5_000 * len(recent)
            assert (self.breaker.state is BreakerState.OPEN) == (due and outcome is not Outcome.IGNORED)
        elif outcome is Outcome.FAILURE:
            assert self.breaker.state is BreakerState.OPEN
        if len(self.entered) and self.breaker.state is not before:
            self.outcomes.clear()
            self.opened_at = self.now

    @invariant()
    def transitions_follow_the_machine(self) -> None:
        states = [BreakerState.CLOSED, *self.entered]
        assert set(pairwise(states)) <= {
            (BreakerState.CLOSED, BreakerState.OPEN),
            (BreakerState.OPEN, BreakerState.HALF_OPEN),
            (BreakerState.HALF_OPEN, BreakerState.OPEN),
            (BreakerState.HALF_OPEN, BreakerState.CLOSED),
        }

    @invariant()
    def trial_calls_are_bounded(self) -> None:
        if self.breaker.state is BreakerState.HALF_OPEN:
            trials = [period for _, period in self.under_way if period == len(self.entered)]
            assert len(trials) <= SETTINGS.half_open_calls


TestAnyTraffic = AnyTraffic.TestCase
TestAnyTraffic.settings = hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_kept_answer_is_given_until_it_is_too_old() -> None:
    moments = [0.0]
    kept = LastAnswers(now=lambda: moments[-1])
    kept.put(b"a", Answer("hello", "stop"))
    moments.append(60.0)
    assert kept.get(b"a", max_age_s=60) == Answer("hello", "stop")
    assert kept.get(b"b", max_age_s=60) is None
    moments.append(60.1)
    assert kept.get(b"a", max_age_s=60) is None


def test_the_least_recently_used_answers_go_when_memory_is_short() -> None:
    kept = LastAnswers(max_bytes=3_000, now=lambda: 0.0)
    for name in (b"a", b"b"):
        kept.put(name, Answer("x" * 700, "stop"))
    assert kept.get(b"a", max_age_s=1)
    kept.put(b"c", Answer("x" * 700, "stop"))
    assert [kept.get(name, max_age_s=1) is not None for name in (b"a", b"b", b"c")] == [True, False, True]
    kept.put(b"d", Answer("x" * 300_000, "stop"))
    assert kept.get(b"d", max_age_s=1) is None
    assert kept.get(b"a", max_age_s=1)


def test_settings_fill_in_defaults_and_are_off_when_absent() -> None:
    assert BreakerSettings.parse(None) is None
    assert BreakerSettings.parse({}) == BreakerSettings()
    assert BreakerSettings.parse({"open_s": 7}) == replace(BreakerSettings(), open_s=7)
    assert BreakerSettings.parse({"fallbacks": []}) == replace(BreakerSettings(), fallbacks=())


def kept_under(
    *,
    environment: str = "e1",
    feature: str = "assistant",
    release: str = "sha256:1",
    said: str = "nginx?",
    max_tokens: int | None = None,
) -> bytes:
    signed = SimpleNamespace(environment_id=environment)
    decided: Any = SimpleNamespace(
        environment=SimpleNamespace(root=SimpleNamespace(signed=signed)),
        name=feature,
        release=SimpleNamespace(digest=release),
    )
    return answer_key(cast("Decision", decided), [{"role": "user", "content": said}], max_tokens)


def test_an_answer_is_kept_for_one_input_of_one_release_in_one_place() -> None:
    others = [
        kept_under(environment="e2"),
        kept_under(feature="summary"),
        kept_under(release="sha256:2"),
        kept_under(said="redis?"),
        kept_under(max_tokens=5),
    ]
    assert kept_under() == kept_under()
    assert len({kept_under(), *others}) == 6
