"""An approver's two decisions: one release is refused, with the reason; the next is read, weighed and approved."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from promptstore.core.clock import ManualClock
from releases.models import Promotion
from tests.e2e.journeys.keyboard import Keyboard
from tests.threads import at_once
from tests.world import World

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def asked(world: World, text: str, reason: str) -> Promotion:
    """A release that passed its gates and waits for people."""
    promotion = world.request(world.compose(world.publish(text)), reason=reason)
    at_once(
        lambda: world.check(promotion)
    )  # gates start a loop of their own, which a browser's thread cannot
    promotion.refresh_from_db()
    assert promotion.state == "awaiting_approval", promotion.outcome
    return promotion


def test_approver_refuses_one_release_and_approves_what_was_read(
    seat: Callable[..., Keyboard], world: World, clock: ManualClock
) -> None:
    bold = asked(world, "Suggest any configuration entries you like.", "More ideas for each request.")
    approver = seat(world.cast.users["approver"])
    approver.looks("1-home")
    approver.skip()
    approver.go("Approve or reject assistant 1.1.0 to production", within=5)
    approver.looks("2-promotion", "Bring assistant 1.1.0 to production")
    approver.skip()
    approver.use("What changes", within=5)
    assert approver.page.evaluate("document.activeElement.id") == "difference"
    approver.sees(re.compile("configuration entry.?entries"))
    approver.use("Decide", back=True, within=40)
    approver.use("Reject", within=4)
    approver.write("It no longer asks for JSON.")
    approver.looks("3-rejecting")
    approver.leave("Control+Enter")
    approver.sees("Rejected. Nothing was released.")
    approver.looks("4-rejected")
    bold.refresh_from_db()
    assert (bold.state, bold.outcome) == ("rejected", "It no longer asks for JSON.")

    good = asked(
        world,
        "Suggest one configuration entry as JSON. Prefer the smallest change.",
        "Answers were too bold.",
    )
    approver.find("home", "Open Home")
    approver.skip()
    approver.go("Approve or reject assistant 1.2.0 to production", within=5)
    approver.skip()
    approver.go("Smoke", within=12)
    approver.looks("5-evidence")
    approver.page.go_back()  # Alt and ←, which a window without a frame does not know
    approver.skip()
    approver.use("Decide", within=6)
    approver.to("Comment", within=2)
    approver.write("Read the texts and the smoke answers: smaller and safer.")
    approver.looks("6-deciding")
    approver.leave("Control+Enter")
    approver.sees("Approved: it starts by itself.")
    approver.looks("7-approved")
    good.refresh_from_db()
    assert good.state == "approved"
    assert good.votes.get().comment.startswith("Read the texts")
