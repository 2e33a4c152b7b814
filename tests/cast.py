"""The cast: a project, two environments, and one person for each role, as rows and as actors."""

from __future__ import annotations

from dataclasses import dataclass

from promptstore.core import keys
from promptstore.core.actors import Actor
from promptstore.core.models import Environment, Membership, Project, User
from promptstore.core.permissions import Role


@dataclass(frozen=True)
class Cast:
    project: Project
    staging: Environment
    production: Environment
    users: dict[str, User]

    def actor(self, role: str) -> Actor:
        """The person who holds just this role."""
        return keys.actor_for_user(self.users[role])


def make_cast(slug: str) -> Cast:
    """Rows for one project; user names are `<role>@<project>`."""
    project = Project.objects.create(slug=slug, name=slug.title())
    staging, production = (
        Environment.objects.create(
            project=project, slug=kind, name=kind.title(), kind=kind, position=position
        )
        for position, kind in enumerate(("staging", "production"))
    )
    users = {}
    for role in Role:
        users[role.value] = user = User.objects.create_user(username=f"{role.value}@{slug}", password=None)
        Membership.objects.create(project=project, user=user, roles=[role.value])
    return Cast(project=project, staging=staging, production=production, users=users)
