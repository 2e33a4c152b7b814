"""Refusals of the review queue."""

from __future__ import annotations

from promptstore.core.errors import Conflict


class LeaseLost(Conflict):
    """The fence is not the item's any more: somebody else has claimed it since, or it is no longer open."""

    code = "lease_lost"
    title = "This item is no longer yours"


class AlreadyLabelled(Conflict):
    """This person has labelled the item, and said something else. Labels are never changed."""

    code = "already_labelled"
    title = "You have labelled this item"


class StillJudged(Conflict):
    """Somebody may still be asked about the item, and is to judge unaware of what others think of it."""

    code = "still_judged"
    title = "This item is still judged"
