"""What the outbox owes to the data plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from serving import publisher


def publish(payload: Mapping[str, Any]) -> None:
    publisher.publish(UUID(payload["environment_id"]))
