"""The record of an inference.

Built and redacted after the answer was sent, then spooled. Raw text never touches a disk.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from providers import Usage
from registry.breaker import Fallback
from releases.routing import Arm
from serving.answers import Judgement
from serving.documents import Endpoint, Model
from serving.identity import NodeIdentity
from serving.routing import Decision
from serving.traces import Span
from telemetry.events import InferenceEvent, Status
from telemetry.redaction import redact, redact_value
from telemetry.spool import Spool


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call from its routing on.

    `variables` and `unit` stay in memory; what is recorded of them is redacted or hashed. `paired_with` is the answered call of
    which this one is a copy.
    """

    inference_id: str
    at: str
    decision: Decision
    span: Span
    unit: str | None
    session: str | None
    variables: Mapping[str, Any]
    stream: bool
    paired_with: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended. `output` is the model's own text, also where a policy kept it from being shown.

    `keeps_text` says that the text is kept whatever the serving config captures: it is one half of a pair.
    """

    status: Status
    latency_ms: float
    error_code: str | None = None
    output: str | None = None
    usage: Usage | None = None
    judgement: Judgement = field(default_factory=Judgement)
    endpoint: Endpoint | None = None
    fallback: Fallback | None = None
    fallback_model: Model | None = None
    keeps_text: bool = False


_ROLES = {Fallback.CHEAP: "cheap", Fallback.CACHE: "cache", Fallback.TEMPLATE: "safe"}
_BREAKER = "breaker"


def recorded_arm(exchange: Exchange, outcome: Outcome) -> Arm:
    """A fallback's answer is nobody's quality: it counts neither for nor against the arm that was routed to."""
    return exchange.decision.arm if outcome.fallback is None else Arm.SAFE


class Recorder:
    """Turns exchanges into events in the spool."""

    def __init__(self, *, spool: Spool, identity: NodeIdentity, node: str) -> None:
        self._spool = spool
        self._identity = identity
        self._node = node
        self._unit_keys: dict[tuple[str, str], bytes] = {}

    def record(self, exchange: Exchange, outcome: Outcome) -> None:
        """Redact and spool. A full spool drops the event and counts it; a call never fails for its record."""
        self._spool.append(orjson.dumps(self._event(exchange, outcome)))

    def unit_hash(self, unit: str | None, *, project: str, hash_key_id: str) -> str:
        """A keyed hash of the unit, different in each project; empty without a unit."""
        if not unit:
            return ""
        key = self._unit_keys.get((hash_key_id, project))
        if key is None:
            key = self._identity.derive(f"unit-hash:{hash_key_id}:{project}")
            self._unit_keys[hash_key_id, project] = key
        return hmac.digest(key, unit.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()

    def _event(self, exchange: Exchange, outcome: Outcome) -> InferenceEvent:
        decision, environment = exchange.decision, exchange.decision.environment
        release = decision.release
        fallback = outcome.fallback
        model = outcome.fallback_model if fallback else release.models.get("primary")
        answered = outcome.status is not Status.SAFE_MODE
        called = answered and fallback is not Fallback.CACHE
        usage = outcome.usage or Usage(0, 0)
        keep_text = self._captures(exchange, outcome)
        return InferenceEvent(
            id=exchange.inference_id,
            at=exchange.at,
            project=environment.project,
            environment=environment.name,
            feature=decision.name,
            release_digest=release.digest,
            release_version=release.version,
            rollout_id=decision.rollout_id,
            arm=recorded_arm(exchange, outcome).value,
            reason=_BREAKER if fallback else decision.reason,
            prompt=release.prompt.name,
            prompt_version=release.prompt.version,
            model=model.name if model and answered else "",
            model_version=model.version if model and answered else "",
            role=_ROLES[fallback] if fallback else "primary" if called else "safe",
            endpoint=model.endpoint if model and called else "",
            endpoint_revision=outcome.endpoint.revision if outcome.endpoint else None,
            unit_hash=self.unit_hash(
                exchange.unit, project=environment.project, hash_key_id=environment.node.hash_key_id
            ),
            session=exchange.session,
            trace_id=exchange.span.trace_id,
            span_id=exchange.span.span_id,
            status=outcome.status.value,
            error_code=outcome.error_code,
            latency_ms=round(outcome.latency_ms, 3),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd_nanos=model.cost_usd_nanos(usage.input_tokens, usage.output_tokens) if model else 0,
            policy_hit=outcome.judgement.blocked,
            policy_reasons=outcome.judgement.policy_reasons,
            output_valid=outcome.judgement.output_valid,
            variables_redacted=redact_value(exchange.variables)[0] if keep_text else None,
            output_redacted=redact(outcome.output)[0] if keep_text and outcome.output is not None else None,
            stream=exchange.stream,
            generation=environment.generation,
            node=self._node,
            paired_with=exchange.paired_with,
        )

    @staticmethod
    def _captures(exchange: Exchange, outcome: Outcome) -> bool:
        """Text is kept of what went wrong, of pairs, and of the share that the serving config captures.

        Signals of everything.
        """
        if (
            outcome.keeps_text
            or outcome.judgement.blocked
            or outcome.judgement.output_valid is False
            or outcome.status is Status.ERROR
        ):
            return True
        capture = exchange.decision.release.config.body.get("capture") or {}
        share_bp = int(capture.get("share_bp") or 0)
        digest = hashlib.sha256(exchange.inference_id.encode()).digest()
        return int.from_bytes(digest[:4], "big") * 10_000 >> 32 < share_bp
