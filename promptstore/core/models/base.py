"""Bases that declare what the database must hold; `core.contracts` installs it after every migration."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from promptstore.core import clock
from promptstore.core.ids import uuid7


class TenantModel(models.Model):
    """A row of one project.

    Foreign keys between tenant rows get a composite twin `(project_id, x_id)` in the database, so that a row can never point
    into another project.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey("core.Project", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True


class InsertOnlyModel(models.Model):
    """Rows that are never changed or removed: a trigger refuses it and the application role lacks the privilege."""

    insert_only: ClassVar[bool] = True

    class Meta:
        abstract = True
