"""Who acts. Every service takes an `Actor`; permissions are read from the database at the moment of use."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class ActorKind(StrEnum):
    USER = "user"
    SERVICE = "service"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """A person, a service key or the product itself.

    `id` is the user's or key's id as a string (the component's name for the system); `scopes` and `project_id` bind a
    service key to what it may do and where.
    """

    kind: ActorKind
    id: str
    name: str
    project_id: UUID | None = None
    environment_id: UUID | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def user_id(self) -> UUID | None:
        return UUID(self.id) if self.kind is ActorKind.USER else None


def system(component: str) -> Actor:
    """The product acting by itself, named after the component that decided (`controller`, `checks`…)."""
    return Actor(kind=ActorKind.SYSTEM, id=component, name=component)
