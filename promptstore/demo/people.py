"""The demo's people: one user for each role, with passwords made on the first start."""

from __future__ import annotations

import secrets

from promptstore.core.models import Membership, Project, User
from promptstore.core.permissions import Role


def make_people(project: Project) -> dict[str, str]:
    """Create the missing users and their memberships; returns the passwords of those created now."""
    passwords: dict[str, str] = {}
    for role in Role:
        user = User.objects.filter(username=role.value).first()
        if user is None:
            passwords[role.value] = secrets.token_urlsafe(9)
            user = User.objects.create_user(
                username=role.value, password=passwords[role.value], is_staff=role is Role.OWNER
            )
        Membership.objects.get_or_create(project=project, user=user, defaults={"roles": [role.value]})
    return passwords
