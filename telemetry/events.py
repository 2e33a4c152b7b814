"""One inference event: the JSON object that the spool holds, the intake accepts and the database takes in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypedDict

from promptstore.core import clock

MAX_TEXT_CHARS = 20_000
MAX_VARIABLES_CHARS = 40_000
MAX_VARIABLES_NODES = 2_000
MAX_AHEAD = timedelta(minutes=5)
MAX_AGE = timedelta(days=7)


class Status(StrEnum):
    """How a call ended, as its user saw it."""

    OK = "ok"
    ERROR = "error"
    POLICY_BLOCKED = "policy_blocked"
    SAFE_MODE = "safe_mode"


class InferenceEvent(TypedDict):
    """One model call with its provenance.

    `id` is a UUIDv7, `at` ISO 8601 in UTC. `unit_hash` is a keyed hash, never the unit. `variables_redacted`
    and `output_redacted` went through `telemetry.redaction` first. `session` is the caller's id of a
    conversation or visit. `paired_with` is the id of the answered call of which this one is a copy.
    """

    id: str
    at: str
    project: str
    environment: str
    feature: str
    release_digest: str
    release_version: str
    rollout_id: str | None
    arm: str
    reason: str
    prompt: str
    prompt_version: str
    model: str
    model_version: str
    role: str
    endpoint: str
    endpoint_revision: int | None
    unit_hash: str
    session: str | None
    trace_id: str | None
    span_id: str | None
    status: str
    error_code: str | None
    latency_ms: float
    input_tokens: int
    output_tokens: int
    cost_usd_nanos: int
    policy_hit: bool
    policy_reasons: list[str]
    output_valid: bool | None
    variables_redacted: dict[str, Any] | None
    output_redacted: str | None
    stream: bool
    generation: int
    node: str
    paired_with: str | None


@dataclass(frozen=True, slots=True)
class EventProblem:
    """What is wrong with one member of an event."""

    field: str
    detail: str


Check = Callable[[Any], str | None]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")


def _text(longest: int, *, shortest: int = 0) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "must be text"
        if "\x00" in value:
            return "must not contain NUL"
        if not shortest <= len(value) <= longest:
            return f"must have {shortest} to {longest} characters"
        return None

    return check


def _pattern(pattern: re.Pattern[str], what: str) -> Check:
    return lambda value: None if isinstance(value, str) and pattern.match(value) else f"must be {what}"


def _choice(*allowed: str) -> Check:
    return lambda value: None if value in allowed else f"must be one of {', '.join(allowed)}"


def _count(most: int) -> Check:
    def check(value: Any) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
        return None if good else f"must be an integer from 0 to {most}"

    return check


def _latency(value: Any) -> str | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 86_400_000
    return None if good else "must be milliseconds from 0 to 86400000"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _reasons(value: Any) -> str | None:
    good = (
        isinstance(value, list) and len(value) <= 50 and all(_text(80, shortest=1)(v) is None for v in value)
    )
    return None if good else "must be a list of at most 50 texts of 1 to 80 characters"


def _variables(value: Any) -> str | None:
    """Plain JSON within bounds; iterative, so that nothing deep can exhaust the stack."""
    if not isinstance(value, dict):
        return "must be an object"
    pending: list[Any] = [value]
    nodes = characters = 0
    while pending:
        current = pending.pop()
        nodes += 1
        if isinstance(current, dict):
            pending.extend(current)
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
        elif isinstance(current, str):
            characters += len(current)
            if "\x00" in current:
                return "must not contain NUL"
        if nodes + len(pending) > MAX_VARIABLES_NODES or characters > MAX_VARIABLES_CHARS:
            return f"must have at most {MAX_VARIABLES_NODES} values and {MAX_VARIABLES_CHARS} characters"
    return None


def _moment(value: Any) -> str | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() != timedelta(0):
        return "must be an ISO 8601 time in UTC"
    now = clock.now()
    if not now - MAX_AGE <= moment.astimezone(UTC) <= now + MAX_AHEAD:
        return "must be within the last 7 days and not in the future"
    return None


# name → (check, whether null is fine). The one description of the format; lengths are those of the database
# columns.
FIELDS: dict[str, tuple[Check, bool]] = {
    "id": (_pattern(_UUID7, "a UUID of version 7 in lower case"), False),
    "at": (_moment, False),
    "project": (_text(80, shortest=1), False),
    "environment": (_text(80, shortest=1), False),
    "feature": (_text(80, shortest=1), False),
    "release_digest": (_pattern(_DIGEST, "sha256: and 64 hex digits"), False),
    "release_version": (_text(64, shortest=1), False),
    "rollout_id": (_pattern(_UUID, "a UUID in lower case"), True),
    "arm": (_choice("stable", "candidate", "shadow", "safe"), False),
    "reason": (_text(30), False),
    "prompt": (_text(80), False),
    "prompt_version": (_text(64), False),
    "model": (_text(80), False),
    "model_version": (_text(64), False),
    "role": (_text(20), False),
    "endpoint": (_text(64), False),
    "endpoint_revision": (_count((1 << 31) - 1), True),
    "unit_hash": (_text(64), False),
    "session": (_text(120), True),
    "trace_id": (_pattern(re.compile(r"[0-9a-f]{32}\Z"), "32 hex digits"), True),
    "span_id": (_pattern(re.compile(r"[0-9a-f]{16}\Z"), "16 hex digits"), True),
    "status": (_choice(*Status), False),
    "error_code": (_text(60), True),
    "latency_ms": (_latency, False),
    "input_tokens": (_count((1 << 31) - 1), False),
    "output_tokens": (_count((1 << 31) - 1), False),
    "cost_usd_nanos": (_count((1 << 63) - 1), False),
    "policy_hit": (_flag, False),
    "policy_reasons": (_reasons, False),
    "output_valid": (_flag, True),
    "variables_redacted": (_variables, True),
    "output_redacted": (_text(MAX_TEXT_CHARS), True),
    "stream": (_flag, False),
    "generation": (_count((1 << 63) - 1), False),
    "node": (_text(80), False),
    "paired_with": (_pattern(_UUID, "a UUID in lower case"), True),
}


def validate_event(event: Mapping[str, Any]) -> list[EventProblem]:
    """What is wrong with an event.

    Empty when it may be stored. Unknown members are problems too: a typo loses no data.
    """
    problems = [
        EventProblem(name[:80], "is not a member of an event") for name in event.keys() - FIELDS.keys()
    ]
    for name, (check, nullable) in FIELDS.items():
        if name not in event:
            problems.append(EventProblem(name, "is missing"))
        elif event[name] is None:
            if not nullable:
                problems.append(EventProblem(name, "must not be null"))
        elif fault := check(event[name]):
            problems.append(EventProblem(name, fault))
    return problems
