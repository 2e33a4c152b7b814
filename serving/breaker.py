"""A circuit breaker: stops asking a model that keeps failing, and tries it again later.

Pure. Times are monotonic seconds that the caller passes in and that never go back. The states and their names are those
of M. Nygard, Release It!, 2nd edition, chapter 5.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from providers import FailureKind
from registry.breaker import BreakerSettings

# What says that the provider is in trouble. The others are faults of a request, a credential or an entry, which no
# waiting mends.
COUNTED = frozenset(
    {
        FailureKind.TIMEOUT,
        FailureKind.UNAVAILABLE,
        FailureKind.RATE_LIMITED,
        FailureKind.MALFORMED,
        FailureKind.TRUNCATED,
    }
)


class BreakerState(StrEnum):
    """Closed lets calls through, open lets none, half-open lets a few through to find out."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Outcome(StrEnum):
    """What a call that was let through says of the provider."""

    SUCCESS = "success"
    FAILURE = "failure"
    IGNORED = "ignored"


class Breaker:
    """One state machine. Whoever is admitted must report exactly once, whatever happens.

    `on_transition` hears each state that is entered.
    """

    def __init__(
        self, settings: BreakerSettings, *, on_transition: Callable[[BreakerState], None] | None = None
    ) -> None:
        self.settings = settings
        self.state = BreakerState.CLOSED
        self._on_transition = on_transition
        self._window = _Window(settings.window_s)
        # Numbers the periods between transitions: an outcome counts only in the period that admitted its call.
        self._period = 0
        self._opened_at = 0.0
        self._on_trial = 0
        self._succeeded = 0

    def admit(self, now: float) -> int | None:
        """A permit for one call, to be given back with `report`; None when the model must not be asked."""
        if self.state is BreakerState.OPEN and now >= self._opened_at + self.settings.open_s:
            self._enter(BreakerState.HALF_OPEN)
        if self.state is BreakerState.OPEN:
            return None
        if self.state is BreakerState.HALF_OPEN:
            if self._on_trial + self._succeeded >= self.settings.half_open_calls:
                return None
            self._on_trial += 1
        return self._period

    def report(self, permit: int, outcome: Outcome, now: float) -> None:
        """The end of an admitted call. Of a call that began before the last transition it changes nothing."""
        if permit != self._period:
            return
        if self.state is BreakerState.HALF_OPEN:
            self._judge_trial(outcome, now)
        elif outcome is not Outcome.IGNORED:
            calls, failures = self._window.add(now, failed=outcome is Outcome.FAILURE)
            enough = calls >= self.settings.min_calls
            if enough and failures * 10_000 >= self.settings.failure_ratio_bp * calls:
                self._open(now)

    def retry_after_s(self, now: float) -> float:
        """When asking again makes sense; at least a second, also while trial calls are under way."""
        if self.state is not BreakerState.OPEN:
            return 1.0
        return max(1.0, self._opened_at + self.settings.open_s - now)

    def _judge_trial(self, outcome: Outcome, now: float) -> None:
        self._on_trial -= 1
        if outcome is Outcome.FAILURE:
            self._open(now)
        elif outcome is Outcome.SUCCESS:
            self._succeeded += 1
            if self._succeeded >= self.settings.half_open_calls:
                self._enter(BreakerState.CLOSED)

    def _open(self, now: float) -> None:
        self._opened_at = now
        self._enter(BreakerState.OPEN)

    def _enter(self, state: BreakerState) -> None:
        self.state = state
        self._period += 1
        self._on_trial = self._succeeded = 0
        self._window = _Window(self.settings.window_s)
        if self._on_transition is not None:
            self._on_transition(state)


class _Window:
    """Calls and failures of the last seconds, by whole seconds: memory follows the window, not the traffic."""

    def __init__(self, length_s: int) -> None:
        self._length_s = length_s
        self._seconds: deque[list[int]] = deque()
        self._calls = self._failures = 0

    def add(self, now: float, *, failed: bool) -> tuple[int, int]:
        """Count one call; `(calls, failures)` within the window."""
        second = int(now)
        while self._seconds and self._seconds[0][0] <= second - self._length_s:
            _, calls, failures = self._seconds.popleft()
            self._calls -= calls
            self._failures -= failures
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        self._seconds[-1][1] += 1
        self._seconds[-1][2] += failed
        self._calls += 1
        self._failures += failed
        return self._calls, self._failures
