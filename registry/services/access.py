"""How a service finds the row it works on."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet

from promptstore.core.actors import Actor
from promptstore.core.errors import NotFound
from promptstore.core.models import TenantModel
from promptstore.core.permissions import allows, require

Row = TypeVar("Row", bound=TenantModel)


def get_for(actor: Actor, permission: str, rows: QuerySet[Row], row_id: UUID) -> Row:
    """The row, without a lock, if the actor holds `permission` in its project.

    Raises `NotFound` for an unknown id and, so that ids of other projects say nothing, also for strangers; `NotAllowed` for members
    without the permission.
    """
    row = rows.filter(pk=row_id).first()
    if row is None or not allows(actor, "project.read", project_id=row.project_id):
        raise NotFound("There is nothing with this id in your projects.")
    require(actor, permission, project_id=row.project_id)
    return row
