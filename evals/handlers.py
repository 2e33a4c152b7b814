"""What the outbox owes to this app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from evals import services


def run_probe(payload: Mapping[str, Any]) -> None:
    services.run_probe(probe_id=UUID(payload["probe_id"]), ticket=UUID(payload["ticket"]))
