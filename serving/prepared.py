"""Answers made ready: bytes, strong ETag and headers per feature, arm and reason, built once per generation."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from releases.routing import Arm
from serving.documents import Prompt, Release

Headers = list[tuple[bytes, bytes]]


Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One ready answer, as the ASGI messages of a 200 and of a 304.

    Every call shares them: nobody may change them.

    Each header costs the server about a microsecond, so there are no more than a client needs.
    """

    etag: bytes
    ok: tuple[Message, Message]
    not_modified: tuple[Message, Message]


def prepare(
    *, feature: str, environment: str, generation: int, arm: Arm, reason: str, release: Release, pin: str
) -> Prepared:
    """The resolve answer of one arm. In safe mode no prompt and no model is named: nothing may be called."""
    body = orjson.dumps(
        {
            "feature": feature,
            "environment": environment,
            "generation": generation,
            "arm": arm,
            "reason": reason,
            **(_safe(release) if arm is Arm.SAFE else _callable(release)),
        }
    )
    etag = strong_etag(body)
    common: Headers = [
        (b"etag", etag),
        (b"cache-control", b"private, no-cache"),
        (b"x-promptstore-pin", pin.encode()),
    ]
    entity: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    return Prepared(
        etag=etag, ok=_messages(200, [*entity, *common], body), not_modified=_messages(304, common, b"")
    )


def _messages(status: int, headers: Headers, body: bytes) -> tuple[Message, Message]:
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


def strong_etag(body: bytes) -> bytes:
    """A quoted tag over the exact bytes: equal tags mean equal bytes (RFC 9110 §8.8.1)."""
    return b'"' + base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:18]) + b'"'


def etag_matches(if_none_match: bytes, etag: bytes) -> bool:
    """Whether the header lists the tag (weak comparison, as RFC 9110 §13.1.2 asks) or is `*`."""
    if if_none_match == etag:
        return True
    candidates = [tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")]
    return etag in candidates or candidates == [b"*"]


def prompt_json(prompt: Prompt) -> dict[str, Any]:
    """A prompt as services see it."""
    return {
        "name": prompt.name,
        "version": prompt.version,
        "digest": prompt.digest,
        "messages": prompt.raw["messages"],
        "input_schema": prompt.raw.get("input_schema"),
        "output_schema": prompt.raw.get("output_schema"),
        "tools": prompt.raw.get("tools") or [],
        "params": prompt.raw.get("params") or {},
    }


def release_json(release: Release) -> dict[str, str]:
    return {"version": release.version, "digest": release.digest}


def _callable(release: Release) -> Mapping[str, Any]:
    model = release.models.get("primary")
    return {
        "release": release_json(release),
        "prompt": prompt_json(release.prompt),
        "prompts": {name: prompt_json(prompt) for name, prompt in release.prompts.items()},
        "model": None
        if model is None
        else {
            "name": model.name,
            "version": model.version,
            "provider": model.provider,
            "model_id": model.model_id,
            "params": model.params,
        },
        **_config(release),
    }


def _safe(release: Release) -> Mapping[str, Any]:
    return {
        "release": release_json(release),
        "prompt": None,
        "prompts": {},
        "model": None,
        **_config(release),
    }


def _config(release: Release) -> Mapping[str, Any]:
    config = release.config
    return {
        "config": {**config.body, "name": config.name, "version": config.version, "digest": config.digest},
        "capture": config.body.get("capture") or {"share_bp": 0},
        "shadow": None,
    }
