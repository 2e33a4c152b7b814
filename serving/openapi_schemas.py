"""The schemas of the serving API's contract."""

from __future__ import annotations

from typing import Any

from telemetry.events import FIELDS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
DIGEST: Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
UNIT: Schema = {
    "type": "string",
    "maxLength": 200,
    "description": "What routing sticks to: a user or a conversation.",
}
PIN: Schema = {
    "type": "string",
    "description": "A token from `x-promptstore-pin`: keeps the conversation's arm.",
}
VARIABLES: Schema = {"type": "object", "description": "Values for the prompt's input schema."}


def _object(properties: dict[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


_RELEASE = _object({"version": TEXT, "digest": DIGEST}, "version", "digest")
_PROMPT = _object(
    {
        "name": TEXT,
        "version": TEXT,
        "digest": DIGEST,
        "messages": {"type": "array", "items": _object({"role": TEXT, "content": TEXT}, "role", "content")},
        "input_schema": OBJECT,
        "output_schema": {"type": ["object", "null"]},
        "tools": {"type": "array", "items": OBJECT},
        "params": OBJECT,
    },
    "name",
    "version",
    "digest",
    "messages",
)
_ROUTED = {
    "feature": TEXT,
    "environment": TEXT,
    "generation": {"type": "integer"},
    "arm": {"enum": ["stable", "candidate", "shadow", "safe"]},
    "reason": {"enum": ["split", "static", "no_unit", "withdrawn", "no_stable", "pinned"]},
    "release": {"$ref": "#/components/schemas/Release"},
}

SCHEMAS: dict[str, Schema] = {
    "Release": _RELEASE,
    "Prompt": _PROMPT,
    "Problem": _object(
        {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "code": TEXT,
            "detail": TEXT,
            "field": TEXT,
            "errors": {"type": "array", "items": OBJECT},
        },
        "type",
        "title",
        "status",
        "code",
        "detail",
    ),
    "OpenAIError": _object(
        {
            "error": _object(
                {"message": TEXT, "type": TEXT, "param": {"type": ["string", "null"]}, "code": TEXT},
                "message",
                "code",
            )
        },
        "error",
    ),
    "Resolution": _object(
        {
            **_ROUTED,
            "prompt": {"oneOf": [{"$ref": "#/components/schemas/Prompt"}, {"type": "null"}]},
            "prompts": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Prompt"}},
            "model": {"type": ["object", "null"]},
            "config": OBJECT,
            "capture": OBJECT,
            "shadow": {"type": ["object", "null"]},
        },
        "feature",
        "environment",
        "generation",
        "arm",
        "reason",
        "release",
    ),
    "Rendered": _object(
        {
            **_ROUTED,
            "prompt": {"type": ["object", "null"]},
            "messages": {"type": "array", "items": OBJECT},
            "answer": {
                "type": "string",
                "description": "In safe mode: what to show instead of calling a model.",
            },
        },
        "feature",
        "arm",
        "messages",
    ),
    "ResolveRequest": _object({"unit": UNIT, "attributes": OBJECT, "pin": PIN}),
    "RenderRequest": _object({"unit": UNIT, "variables": VARIABLES, "pin": PIN}),
    "ChatRequest": _object(
        {
            "model": {"type": "string", "description": "The feature's name."},
            "messages": {"type": "array", "items": OBJECT, "description": "The conversation so far."},
            "prompt_variables": VARIABLES,
            "unit": UNIT,
            "user": UNIT,
            "pin": PIN,
            "session": {"type": "string", "maxLength": 120},
            "stream": {"type": "boolean"},
            "stream_options": _object({"include_usage": {"type": "boolean"}}),
            "max_tokens": {"type": "integer", "minimum": 1},
            "max_completion_tokens": {"type": "integer", "minimum": 1},
        },
        "model",
    ),
    "TelemetryBatch": _object(
        {
            "events": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1000,
                "items": {"$ref": "#/components/schemas/Event"},
            }
        },
        "events",
    ),
    "Event": {
        "type": "object",
        "description": "One inference. `unit`, `variables` and `output` may be raw: they are hashed and redacted on arrival.",
        "properties": {name: {} for name in (*FIELDS, "unit", "variables", "output")},
        "required": ["id", "at", "feature", "release_digest", "arm", "status", "latency_ms"],
    },
    "Counts": _object(
        {
            "accepted": {"type": "integer"},
            "rejected": {"type": "integer"},
            "dropped": {"type": "integer"},
            "errors": {"type": "array", "items": OBJECT},
        },
        "accepted",
        "rejected",
    ),
    "Snapshot": _object(
        {
            "format": {"const": 1},
            "root": _object(
                {"body": TEXT, "signature": TEXT, "key_id": TEXT, "public_key": TEXT}, "body", "signature"
            ),
            "documents": {"type": "object", "additionalProperties": TEXT},
        },
        "format",
        "root",
        "documents",
    ),
}
