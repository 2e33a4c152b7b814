"""What a person can be told of. Choices are kept, and webhooks typed, by these names."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from promptstore.core.permissions import Role


class PersonalEvent(StrEnum):
    APPROVAL_REQUESTED = "approval.requested"
    APPROVED = "promotion.approved"
    REJECTED = "promotion.rejected"
    APPROVALS_DISMISSED = "promotion.approvals_dismissed"
    BLOCKED = "promotion.blocked"
    EXPIRED = "promotion.expired"
    CANCELLED = "promotion.cancelled"
    SUPERSEDED = "promotion.superseded"
    LIVE = "promotion.live"
    ROLLED_BACK = "promotion.rolled_back"
    ROLLOUT_STARTED = "rollout.started"
    STEPPED_UP = "rollout.stepped_up"
    STEPPED_DOWN = "rollout.stepped_down"
    PAUSED = "rollout.paused"
    RESUMED = "rollout.resumed"
    ROLLOUT_ROLLED_BACK = "rollout.rolled_back"
    ROLLOUT_COMPLETED = "rollout.completed"
    ROLLOUT_ABORTED = "rollout.aborted"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_RESOLVED = "incident.resolved"


TEST: Final = "notification.test"
_E = PersonalEvent

# How the settings page groups and words them, in its order.
GROUPS: Final[dict[str, dict[PersonalEvent, str]]] = {
    "Yours to decide": {
        _E.APPROVAL_REQUESTED: "A promotion that you may approve waits for approval",
    },
    "Promotions that you requested": {
        _E.APPROVED: "Approved: the quorum is reached",
        _E.REJECTED: "Rejected",
        _E.APPROVALS_DISMISSED: "Approvals no longer count, because the change or the policy moved",
        _E.BLOCKED: "Blocked by its checks",
        _E.EXPIRED: "Expired",
        _E.CANCELLED: "Cancelled by somebody else",
        _E.SUPERSEDED: "Overtaken by another release",
        _E.LIVE: "Live",
        _E.ROLLED_BACK: "Rolled back",
    },
    "Every rollout of the project": {
        _E.ROLLOUT_STARTED: "Started",
        _E.STEPPED_UP: "Stepped up",
        _E.STEPPED_DOWN: "Stepped down",
        _E.PAUSED: "Paused",
        _E.RESUMED: "Resumed",
        _E.ROLLOUT_ROLLED_BACK: "Rolled back",
        _E.ROLLOUT_COMPLETED: "Completed",
        _E.ROLLOUT_ABORTED: "Called off",
    },
    "Incidents of severity P1 and P2": {
        _E.INCIDENT_OPENED: "Opened",
        _E.INCIDENT_RESOLVED: "Resolved",
    },
}
ALL: Final = tuple(event for group in GROUPS.values() for event in group)

# Whoever is asked or has asked wants to know; the audience of these is narrow by itself.
_EVERYBODY: Final = frozenset({*GROUPS["Yours to decide"], *GROUPS["Promotions that you requested"]})
_BY_ROLE: Final[dict[Role, frozenset[PersonalEvent]]] = {
    Role.OPERATOR: frozenset(
        {_E.STEPPED_DOWN, _E.PAUSED, _E.ROLLOUT_ROLLED_BACK, _E.ROLLOUT_ABORTED, _E.INCIDENT_OPENED}
    ),
    Role.OWNER: frozenset({_E.INCIDENT_OPENED}),
}


def usual(roles: Iterable[Role]) -> frozenset[PersonalEvent]:
    """What people with these roles hear by e-mail until they choose for themselves."""
    return _EVERYBODY.union(*(_BY_ROLE.get(role, frozenset()) for role in roles))
