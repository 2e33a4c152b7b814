from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from promptstore.core.ids import uuid7


class User(AbstractUser):
    """A person. What they may do depends on their membership in each project."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    def __str__(self) -> str:
        return self.get_full_name() or self.username
