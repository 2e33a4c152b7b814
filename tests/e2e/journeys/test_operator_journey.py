"""An operator's incident: a canary is paused, breaks a rule all the same, and is taken back until users are safe again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from incidents.models import Incident
from promptstore.core.clock import ManualClock
from releases import controller
from releases.models import Rollout
from tests.e2e.journeys.keyboard import Keyboard
from tests.threads import at_once
from tests.traffic import record
from tests.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def traffic(rollout: Rollout, clock: ManualClock, *, minutes: int, policy_hits: int = 0) -> None:
    for _ in range(minutes):
        clock.advance(minutes=1)
        record(rollout, "candidate", 20, policy_hits=policy_hits)
        record(rollout, "stable", 100)
        controller.tick()


@pytest.fixture
def canary(world: World, clock: ManualClock) -> Rollout:
    """A rollout at 2 %, with a few minutes of calls."""
    at_once(world.roll_out)  # gates start a loop of their own, which a browser's thread cannot
    rollout = Rollout.objects.get()
    traffic(rollout, clock, minutes=3)
    return rollout


def test_operator_sees_a_canary_fall_and_makes_users_safe_again(
    seat: Callable[..., Keyboard], canary: Rollout, world: World, clock: ManualClock
) -> None:
    operator = seat(world.cast.users["operator"])
    operator.looks("1-home")
    operator.skip()
    operator.go("1.1.0 at 2", within=4)
    operator.looks("2-canary", "assistant 1.1.0")
    operator.skip()
    operator.use("Pause", within=4)
    operator.write("Support reports odd answers.")
    operator.looks("3-pausing")
    operator.leave("Control+Enter")
    operator.sees("Support reports odd answers.")
    operator.looks("4-paused")

    # What everybody fears happens meanwhile, and the page follows by itself while the operator reads on.
    operator.to("Numbers as a table", within=30)
    traffic(canary, clock, minutes=3, policy_hits=6)
    operator.sees("The way down")
    assert operator.focused == "Numbers as a table"
    operator.looks("5-falling")
    clock.advance(minutes=5)
    controller.tick()
    operator.sees(re.compile(r"1\.5"))
    operator.press("b")
    operator.write("Nobody waits for the next step.")
    operator.looks("6-cutting")
    operator.leave("Control+Enter")
    operator.sees("Rolled back")
    operator.looks("7-cut")

    incident = Incident.objects.get()
    operator.skip()
    operator.go(incident.title, within=4)
    operator.looks("8-incident", incident.title)
    for key, reason in (
        ("a", "I am looking at the samples."),
        ("m", "The candidate is gone."),
        ("r", "The prompt's example is reverted."),
    ):
        operator.press(key)
        operator.write(reason)
        operator.leave("Control+Enter")
        operator.sees(reason)
    operator.looks("9-resolved", incident.title)
    incident.refresh_from_db()
    assert incident.state == "resolved"
    operator.find("home", "Open Home")
    operator.looks("10-home-again")
