"""What the outbox owes to this app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from releases import drift, services
from releases.services.audiences import tell_of_promotion, tell_of_rollout


def check(payload: Mapping[str, Any]) -> None:
    services.finish_checks(promotion_id=UUID(payload["promotion_id"]), check_round=payload["round"])


def start(payload: Mapping[str, Any]) -> None:
    services.start_promotion(promotion_id=UUID(payload["promotion_id"]))


def promotion_moved(payload: Mapping[str, Any]) -> None:
    tell_of_promotion(**payload)


def rollout_moved(payload: Mapping[str, Any]) -> None:
    tell_of_rollout(**payload)


def open_drift_incidents(payload: Mapping[str, Any]) -> None:
    drift.open_incidents(run_id=UUID(payload["run_id"]))
