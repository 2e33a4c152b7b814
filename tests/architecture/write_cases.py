"""What the parts of the table in `tests.architecture.writes` are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.world import World

Act = Callable[[], Any]
Case = Callable[[World], Act]  # sets the scene and returns the one call that is looked at
REASON = "A closer look."


def acting(world: World, role: str, **fields: Any) -> dict[str, Any]:
    """Arguments of a service that somebody in `role` calls for the world's project."""
    return {"actor": world.cast.actor(role), "project_id": world.cast.project.id, **fields}
