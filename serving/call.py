"""One chat completion on its way through the gateway."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from serving.chat_request import ChatCall
from serving.documents import Endpoint, Release
from serving.node import Node
from serving.prepared import Headers
from serving.records import Exchange, Outcome
from serving.routing import Decision
from telemetry.events import Status


@dataclass(slots=True)
class Call:
    """One call on its way. What happens to it is filled in as it is known, so that any end can be recorded."""

    node: Node
    asked: ChatCall
    exchange: Exchange
    headers: Headers
    started: float
    endpoint: Endpoint | None = None

    @property
    def decision(self) -> Decision:
        return self.exchange.decision

    @property
    def release(self) -> Release:
        return self.exchange.decision.release

    def record(self, status: Status, **details: Any) -> None:
        """Spool the event of this call as it stands."""
        latency_ms = (time.perf_counter() - self.started) * 1000
        outcome = Outcome(status, latency_ms, endpoint=self.endpoint, **details)
        self.node.recorder.record(self.exchange, outcome)
        self.node.metrics.inference(self.decision.name, self.decision.arm.value, status.value)
