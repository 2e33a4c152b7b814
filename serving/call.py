"""One chat completion on its way through the gateway."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from registry.breaker import Fallback
from serving.answers import Answer, Judgement
from serving.breakers import Ticket
from serving.chat_request import ChatCall
from serving.documents import Endpoint, Model, Release
from serving.mirror import copy_of
from serving.node import Node
from serving.prepared import Headers
from serving.records import Exchange, Outcome, recorded_arm
from serving.routing import Decision
from telemetry.events import Status

_COMPLETE = frozenset({"stop", "tool_calls"})
CLIENT_CLOSED = "client_closed"


@dataclass(slots=True)
class Call:
    """One call on its way. What happens to it is filled in as it is known, so that any end can be recorded."""

    node: Node
    asked: ChatCall
    exchange: Exchange
    headers: Headers
    started: float
    endpoint: Endpoint | None = None
    ticket: Ticket | None = None
    answer_key: bytes | None = None
    fallback: Fallback | None = None
    fallback_model: Model | None = None

    @property
    def decision(self) -> Decision:
        return self.exchange.decision

    @property
    def release(self) -> Release:
        return self.exchange.decision.release

    def answer_from(self, fallback: Fallback, model: Model | None) -> None:
        """From here on the answer is a fallback's, and says so. `model` is whose words they are."""
        self.fallback, self.fallback_model = fallback, model
        self.headers = [header for header in self.headers if header[0] != b"x-promptstore-model"]
        self.headers += [
            (b"x-promptstore-model", model.label.encode() if model else b"none"),
            (b"x-promptstore-fallback", fallback.value.encode()),
        ]
        self.node.metrics.fallback(self.decision.name, fallback.value)

    def keep(self, answer: Answer, judgement: Judgement) -> None:
        """Remember the model's own good answer for when its breaker is open; nothing withheld, invalid or cut off."""
        good = not judgement.blocked and judgement.output_valid is not False
        if self.answer_key is None or self.fallback is not None or not good:
            return
        if answer.finish_reason in _COMPLETE:
            kept = Answer(answer.text, answer.finish_reason, tool_calls=answer.tool_calls)
            self.node.last_answers.put(self.answer_key, kept)

    def record(self, status: Status, **details: Any) -> None:
        """Spool the event of this call as it stands, now that it was answered, and have it copied where that is wanted."""
        latency_ms = (time.perf_counter() - self.started) * 1000
        copy = None
        # A fallback answers because the model is not to be asked, and who went away was not answered.
        if self.fallback is None and details.get("error_code") != CLIENT_CLOSED:
            copy = copy_of(self.exchange, self.asked)
        outcome = Outcome(
            status,
            latency_ms,
            endpoint=self.endpoint,
            fallback=self.fallback,
            fallback_model=self.fallback_model,
            keeps_text=copy is not None and copy.keeps_text,
            **details,
        )
        self.node.recorder.record(self.exchange, outcome)
        arm = recorded_arm(self.exchange, outcome)
        self.node.metrics.inference(self.decision.name, arm.value, status.value)
        if copy is not None:
            self.node.mirror.offer(copy)
