"""What the outbox owes to this app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from releases import services


def check(payload: Mapping[str, Any]) -> None:
    services.finish_checks(promotion_id=UUID(payload["promotion_id"]), check_round=payload["round"])


def start(payload: Mapping[str, Any]) -> None:
    services.start_promotion(promotion_id=UUID(payload["promotion_id"]))
