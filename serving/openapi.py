"""The contract of the serving API, OpenAPI 3.1, with every stable error code; `/openapi.json` serves it."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from serving.http import JSON, Request, Response, Send
from serving.node import Node
from serving.openapi_schemas import PIN, SCHEMAS, TEXT, UNIT, Schema

# code → (status, when). Codes never change their meaning.
ERROR_CODES: dict[str, tuple[int, str]] = {
    "unauthenticated": (401, "No key, or one that is unknown, revoked or expired."),
    "not_allowed": (403, "The key lacks the scope."),
    "not_found": (404, "No such path."),
    "unknown_feature": (404, "The environment serves no such feature."),
    "no_active_release": (404, "The feature has no live release."),
    "unknown_prompt": (404, "No active release pins this prompt, or this version of it."),
    "ambiguous_prompt": (409, "Features pin different versions of the prompt; name one."),
    "method_not_allowed": (405, "The path takes other methods."),
    "invalid": (400, "A field has the wrong type or value; `field` names it."),
    "invalid_json": (400, "The body is not a JSON object."),
    "nul_byte": (400, "A text contains NUL."),
    "too_deep": (400, "The body is nested too deep."),
    "body_too_large": (413, "The body has more bytes than the node reads."),
    "input_too_large": (413, "The rendered messages exceed the serving config's limit."),
    "invalid_variables": (422, "Variables that the input schema does not accept."),
    "unknown_variable": (422, "A variable that the input schema does not declare."),
    "missing_variable": (422, "The template needs a variable that was not sent."),
    "invalid_value": (422, "A variable is not plain JSON, or too large."),
    "type_mismatch": (422, "A variable has a type that the template cannot use."),
    "output_too_large": (422, "The rendered prompt is too long."),
    "too_much_work": (422, "Rendering with these variables takes too many steps."),
    "invalid_events": (422, "No event of the batch is valid."),
    "rate_limited": (429, "The serving config allows fewer calls a second."),
    "spool_full": (429, "The node cannot keep more events now."),
    "no_snapshot": (503, "The node has not received its first snapshot."),
    "unreadable_feature": (503, "Only a later version of this node can serve the feature."),
    "release_unusable": (503, "The active release cannot be used by this node."),
    "breaker_open": (503, "The model keeps failing and no fallback had an answer; wait for `Retry-After`."),
    "upstream_timeout": (504, "The model did not answer in time."),
    "upstream_unavailable": (502, "The model cannot be reached."),
    "upstream_rate_limited": (502, "The provider takes no more calls now."),
    "upstream_unauthorized": (502, "The provider did not accept the credential."),
    "upstream_bad_request": (502, "The provider refused the request."),
    "upstream_malformed": (502, "The provider sent no answer."),
    "upstream_too_large": (502, "The answer was too large."),
    "upstream_truncated": (502, "The answer broke off."),
    "internal_error": (500, "A defect of the product."),
}


async def serve(_node: Node, _request: Request, _send: Send) -> Response:
    """`GET /openapi.json`."""
    return Response(200, document_bytes(), [JSON])


@cache
def document_bytes() -> bytes:
    """The document as JSON."""
    return orjson.dumps(document())


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Promptstore serving API",
            "version": "1",
            "description": "A key belongs to one project and environment, so paths carry neither.\n\nError codes:\n\n"
            + "\n".join(f"- `{code}` ({status}): {when}" for code, (status, when) in ERROR_CODES.items()),
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A service key, `ps_…`."}
            },
            "schemas": SCHEMAS,
        },
    }


def _paths() -> dict[str, Any]:
    feature = _parameter("feature", "path", TEXT)
    unit, pin = _parameter("unit", "query", UNIT), _parameter("pin", "query", PIN)
    resolution = _answers("Resolution", not_modified=True)
    return {
        "/v1/features/{feature}/resolve": {
            "get": _operation("resolve", "What a unit gets now", resolution, parameters=[feature, unit, pin]),
            "post": _operation(
                "resolvePrivately",
                "The same, with the unit in the body",
                resolution,
                parameters=[feature],
                body="ResolveRequest",
            ),
        },
        "/v1/features/{feature}/render": {
            "post": _operation(
                "render",
                "The rendered messages",
                _answers("Rendered"),
                parameters=[feature],
                body="RenderRequest",
            )
        },
        "/v1/prompts/{name}": {
            "get": _operation(
                "fetchPrompt",
                "A prompt version",
                _answers("Prompt", not_modified=True),
                parameters=[
                    _parameter("name", "path", TEXT),
                    _parameter("version", "query", TEXT),
                    _parameter("feature", "query", TEXT),
                    unit,
                    pin,
                ],
            )
        },
        "/v1/chat/completions": {
            "post": _operation(
                "chat",
                "OpenAI's chat completions, routed, rendered and filtered; `model` is the feature",
                {
                    "200": {
                        "description": "The answer, whole or as server-sent events",
                        "content": _content({"type": "object"}),
                    },
                    "default": {
                        "description": "A refusal in OpenAI's shape",
                        "content": _content(_ref("OpenAIError")),
                    },
                },
                body="ChatRequest",
            )
        },
        "/v1/telemetry": {
            "post": _operation(
                "sendTelemetry",
                "Events of services that call models themselves",
                _answers("Counts", status="202"),
                body="TelemetryBatch",
            )
        },
        "/v1/snapshot": {
            "get": _operation("snapshot", "The signed snapshot", _answers("Snapshot", not_modified=True))
        },
        "/v1/snapshot/events": {
            "get": _operation("followSnapshot", "Changes as server-sent events", _stream())
        },
        "/livez": {"get": _open("alive", "The process answers")},
        "/readyz": {"get": _open("ready", "Generations and staleness")},
        "/metrics": {"get": _open("metrics", "Prometheus' text format", media_type="text/plain")},
        "/openapi.json": {"get": _open("contract", "This document")},
    }


def _operation(
    name: str,
    summary: str,
    responses: Schema,
    *,
    parameters: list[Schema] | None = None,
    body: str | None = None,
) -> Schema:
    operation: Schema = {"operationId": name, "summary": summary, "responses": responses}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": _content(_ref(body))}
    return operation


def _open(name: str, summary: str, *, media_type: str = "application/json") -> Schema:
    schema = TEXT if media_type == "text/plain" else {"type": "object"}
    responses = {"200": {"description": summary, "content": {media_type: {"schema": schema}}}}
    return {"operationId": name, "summary": summary, "security": [], "responses": responses}


def _answers(schema: str, *, status: str = "200", not_modified: bool = False) -> Schema:
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    answers: Schema = {
        status: {"description": "Done", "content": _content(_ref(schema))},
        "default": {"description": "A problem document", "content": problem},
    }
    if not_modified:
        answers["304"] = {"description": "What `If-None-Match` names is current"}
    return answers


def _stream() -> Schema:
    return {"200": {"description": "`generation` events", "content": {"text/event-stream": {"schema": TEXT}}}}


def _content(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str, place: str, schema: Schema) -> Schema:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}
