"""Days of a rollout in minutes: traffic, quiet, a step of the clock, and what the controller made of it."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from promptstore.replay.stage import Stage
from promptstore.replay.team import Team, wait_for
from promptstore.replay.traffic import Traffic
from releases.routing import TOTAL_BP

_DOWN = frozenset({"rolling_back", "rolled_back", "aborted"})
_OVER = frozenset({"completed", "rolled_back", "aborted"})
# Calls between two steps of a way down.
WHILE_DOWN = 200


class Days:
    """Lets days pass. The clock is stepped only when all is quiet; every move is the controller's own.

    In each slice of `hours_per_slice` so many people call that the candidate gets about `samples_per_slice` of them.
    """

    def __init__(
        self, stage: Stage, team: Team, traffic: Traffic, *, hours_per_slice: float, samples_per_slice: int
    ) -> None:
        self._stage = stage
        self._team = team
        self._traffic = traffic
        self._hours = hours_per_slice
        self._samples = samples_per_slice

    def pass_until(
        self,
        rollout_id: str,
        done: Callable[[dict[str, Any]], bool],
        *,
        what: str,
        at_most_slices: int,
        watch: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> dict[str, Any]:
        """Slices of traffic and time until `done` holds of the rollout; raises `NothingHappenedError`."""
        for _ in range(at_most_slices):
            found = self._slice(rollout_id)
            watch(found)
            if done(found):
                return found
        return wait_for(what, lambda: found if done(found) else None, within_s=0)

    def step_down(
        self, rollout_id: str, *, interval_s: float, watch: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Let the intervals of a rollback pass, with some traffic in each, until it is over."""
        while (found := self._team.rollout(rollout_id))["rollout"]["state"] == "rolling_back":
            before = len(found["decisions"])
            self._traffic.send(WHILE_DOWN)
            self._await_quiet()
            self._stage.clock.step(seconds=interval_s)
            found = wait_for("the next step down", lambda: self._moved(rollout_id, before))  # noqa: B023 - called at once
            watch(found)
        return found

    def _slice(self, rollout_id: str) -> dict[str, Any]:
        weight_bp = self._team.rollout(rollout_id)["rollout"]["weight_bp"]
        # In shadow the candidate gets a copy of every call.
        self._traffic.send(round(self._samples * TOTAL_BP / (weight_bp or TOTAL_BP)))
        self._await_quiet()
        self._stage.clock.step(hours=self._hours)
        found = self._team.rollout(rollout_id)
        if self._is_due(found):
            before = len(found["decisions"])
            found = wait_for("the controller's move", lambda: self._moved(rollout_id, before))
        return found

    @staticmethod
    def _is_due(found: dict[str, Any]) -> bool:
        """Whether the controller has something to do: a rule is breached, or nothing keeps the step any more."""
        if found["rollout"]["state"] in _OVER | _DOWN:
            return False
        breached = any(
            rule["verdict"] == "fail" and rule["action"] != "hold" for rule in found["measurements"]
        )
        ready = not found["seconds_to_go"] and not found["samples_to_go"] and not found["waits_for"]
        return breached or ready

    def _moved(self, rollout_id: str, decisions: int) -> dict[str, Any] | None:
        found = self._team.rollout(rollout_id)
        return found if len(found["decisions"]) > decisions else None

    def _await_quiet(self) -> None:
        """Wait until every call, and every copy of one, is in the database, and no probe is under way."""
        seen = -1.0

        def quiet() -> bool | None:
            nonlocal seen
            before, text = seen, self._metrics()
            seen = _value(text, "promptstore_serving_events_spooled")
            stored = _value(text, "promptstore_serving_events_delivered")
            return True if before == seen == stored and not self._team.is_probing() else None

        wait_for("the telemetry to be stored and the probe to end", quiet)

    def _metrics(self) -> str:
        place = urlsplit(self._stage.serving_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()


def _value(text: str, name: str) -> float:
    """The sum of a metric's samples in Prometheus' text format; 0 where there is none."""
    return sum(
        float(value) for value in re.findall(rf"^{name}(?:_total)?(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
    )
