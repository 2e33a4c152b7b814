"""`POST /v1/telemetry`: events of services that call models themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from promptstore.core.errors import DomainError, InvalidInput
from serving.auth import authenticate
from serving.http import Request, Response, Send
from serving.node import Node
from serving.routing import MAX_UNIT_CHARS
from serving.state import EnvironmentState
from telemetry.events import FIELDS, EventProblem, validate_event
from telemetry.redaction import redact, redact_value
from telemetry.spool import DropReason

MAX_EVENTS = 1_000
_MAX_ERRORS = 50
_DEFAULTS: dict[str, Any] = {
    "release_version": "unknown",
    "reason": "",
    "prompt": "",
    "prompt_version": "",
    "model": "",
    "model_version": "",
    "role": "primary",
    "endpoint": "",
    "unit_hash": "",
    "input_tokens": 0,
    "output_tokens": 0,
    "cost_usd_nanos": 0,
    "policy_hit": False,
    "policy_reasons": [],
    "stream": False,
}
_NULLABLE = {name: None for name, (_, nullable) in FIELDS.items() if nullable}


class SpoolFullError(DomainError):
    """The node cannot keep more events now."""

    code = "spool_full"
    status = 429
    title = "The node cannot take more events now"


async def telemetry(node: Node, request: Request, _: Send) -> Response:
    """202 with counts, once what was accepted is on stable storage.

    Sending a batch again is harmless: ids are unique.
    """
    principal = authenticate(node.holder.current, request, scope="telemetry")
    body = await request.json_object(limit=node.settings.max_body_bytes)
    events = body.get("events")
    if not isinstance(events, list) or not 0 < len(events) <= MAX_EVENTS:
        raise InvalidInput(f"Send 1 to {MAX_EVENTS} events in `events`.", field="events")
    lines: list[bytes] = []
    errors: list[dict[str, Any]] = []
    rejected = 0
    for index, raw in enumerate(events):
        completed, problems = complete(node, principal.environment, raw)
        if problems:
            rejected += 1
            errors += [
                {"index": index, "field": problem.field, "detail": problem.detail} for problem in problems
            ]
        else:
            lines.append(orjson.dumps(completed))
    dropped = [reason for line in lines if (reason := node.spool.append(line)) is not None]
    accepted = len(lines) - len(dropped)
    node.metrics.intake.update({"accepted": accepted, "rejected": rejected, "dropped": len(dropped)})
    counts = {"accepted": accepted, "rejected": rejected, "dropped": len(dropped)}
    if accepted:
        await asyncio.to_thread(node.spool.sync)
    if DropReason.FULL in dropped or DropReason.DISK_ERROR in dropped:
        raise SpoolFullError(
            "Send the batch again later; events that were taken are not counted twice.",
            extra={**counts, "retry_after_s": 5},
        )
    if not accepted:
        first = errors[0] if errors else {"index": 0, "field": "", "detail": "is too large"}
        raise InvalidInput(
            f"events[{first['index']}].{first['field']} {first['detail']}.",
            code="invalid_events",
            field=f"events[{first['index']}].{first['field']}".rstrip("."),
            status=422,
            errors=errors[:_MAX_ERRORS],
            extra=counts,
        )
    return Response.json({**counts, "errors": errors[:_MAX_ERRORS]}, status=202)


def complete(
    node: Node, environment: EnvironmentState, raw: Any
) -> tuple[dict[str, Any], list[EventProblem]]:
    """The event as it is stored: defaults filled in, its unit hashed, its texts redacted; and what is wrong
    with it.

    `unit`, `variables` and `output` may be sent raw and are never stored so.
    """
    if not isinstance(raw, dict):
        return {}, [EventProblem("", "must be an object")]
    event = {**_DEFAULTS, **_NULLABLE, "generation": environment.generation, **raw}
    problems = _bind(node, environment, event)
    unit = event.pop("unit", None)
    if unit is not None and (not isinstance(unit, str) or len(unit) > MAX_UNIT_CHARS):
        problems.append(EventProblem("unit", f"must be text of at most {MAX_UNIT_CHARS} characters"))
    elif unit:
        event["unit_hash"] = node.recorder.unit_hash(
            unit, project=environment.project, hash_key_id=environment.node.hash_key_id
        )
    for name in ("variables", "output"):
        text = event.pop(name, None)
        kept = text if text is not None else event[f"{name}_redacted"]
        event[f"{name}_redacted"] = redact(kept)[0] if isinstance(kept, str) else redact_value(kept)[0]
    return event, problems + validate_event(event)


def _bind(node: Node, environment: EnvironmentState, event: dict[str, Any]) -> list[EventProblem]:
    """An event belongs to the key's project and environment, and to a feature that is served there."""
    problems: list[EventProblem] = []
    bound: Mapping[str, str] = {
        "project": environment.project,
        "environment": environment.name,
        "node": node.settings.name,
    }
    for name, value in bound.items():
        if event.setdefault(name, value) != value and name != "node":
            problems.append(EventProblem(name, f"must be {value!r}, to which the key belongs, or left out"))
        event[name] = value
    if isinstance(event.get("feature"), str) and event["feature"] not in environment.features:
        problems.append(EventProblem("feature", "is not a feature of this environment"))
    return problems
