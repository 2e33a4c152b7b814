"""Who can be chosen: the active members of a project."""

from __future__ import annotations

from uuid import UUID

from promptstore.core.models import User
from promptstore.core.permissions import TABLE


def people_of(*, project_id: UUID) -> list[User]:
    """Active members, by user name."""
    return list(User.objects.filter(is_active=True, memberships__project_id=project_id).order_by("username"))


def people_who_may_approve(*, project_id: UUID) -> list[User]:
    """Active members with a role that may be appointed as approver, by user name."""
    return list(
        User.objects.filter(
            is_active=True,
            memberships__project_id=project_id,
            memberships__roles__overlap=sorted(TABLE["promotion.approve"]),
        ).order_by("username")
    )
