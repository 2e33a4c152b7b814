from __future__ import annotations

import io
from typing import Any

import pytest

from tests.serving.conftest import RunningNode
from tests.serving.world import World, feature, prompt, release

RESOLVE = "/v1/features/config-assistant/resolve"
RENDER = "/v1/features/config-assistant/render"
CHAT = "/v1/chat/completions"
TELEMETRY = "/v1/telemetry"


@pytest.fixture
async def serving(world: World, node: RunningNode) -> RunningNode:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    return node


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code", "field"),
    [
        ("GET", "/v1/features/nope/resolve", {}, 404, "unknown_feature", "feature"),
        ("GET", "/v1/features/a%2Fb/resolve", {}, 404, "unknown_feature", "feature"),
        ("GET", "/v1/nothing", {}, 404, "not_found", "path"),
        ("GET", "/v1/responses", {}, 404, "not_found", "path"),
        ("DELETE", RESOLVE, {}, 405, "method_not_allowed", None),
        ("GET", RENDER, {}, 405, "method_not_allowed", None),
        ("GET", RESOLVE + "?unit=" + "u" * 201, {}, 400, "invalid", "unit"),
        ("GET", RESOLVE + "?unit=a%00b", {}, 400, "nul_byte", "unit"),
        ("GET", RESOLVE + "?unit=a&unit=b", {}, 400, "invalid", "unit"),
        ("GET", RESOLVE + "?unit=%ff", {}, 400, "invalid", "query"),
        ("POST", RESOLVE, {"data": b"{"}, 400, "invalid_json", None),
        ("POST", RESOLVE, {"data": b"[]"}, 400, "invalid_json", None),
        ("POST", RESOLVE, {"data": b'{"unit": "a\x00b"}'}, 400, "nul_byte", None),
        ("POST", RESOLVE, {"data": b'{"unit": "a\\u0000b"}'}, 400, "nul_byte", None),
        ("POST", RESOLVE, {"data": b'{"unit": NaN}'}, 400, "invalid_json", None),
        ("POST", RESOLVE, {"data": b'{"a":' * 200 + b"1" + b"}" * 200}, 400, "too_deep", None),
        ("POST", RESOLVE, {"data": b'{"a":' * 5000 + b"1" + b"}" * 5000}, 400, "invalid_json", None),
        ("POST", RESOLVE, {"data": b" " * 1_000_001}, 413, "body_too_large", None),
        ("POST", RESOLVE, {"json": {"unit": 7}}, 400, "invalid", "unit"),
        ("POST", RESOLVE, {"json": {"pin": 7}}, 400, "invalid", "pin"),
        ("POST", RESOLVE, {"json": {"attributes": 7}}, 400, "invalid", "attributes"),
        (
            "POST",
            RENDER,
            {"json": {"variables": {"service": "x", "oops": 1}}},
            422,
            "unknown_variable",
            "variables.oops",
        ),
        ("POST", RENDER, {"json": {"variables": {}}}, 422, "invalid_variables", "variables.service"),
        (
            "POST",
            RENDER,
            {"json": {"variables": {"service": 5}}},
            422,
            "invalid_variables",
            "variables.service",
        ),
        ("POST", RENDER, {"json": {"variables": []}}, 400, "invalid", "variables"),
        (
            "POST",
            RENDER,
            {"json": {"variables": {"service": "x" * 200_000}}},
            413,
            "input_too_large",
            "variables",
        ),
        ("GET", "/v1/prompts/nope", {}, 404, "unknown_prompt", "name"),
        ("GET", "/v1/prompts/suggest?version=9.9.9", {}, 404, "unknown_prompt", "version"),
        ("GET", "/v1/prompts/suggest?feature=nope", {}, 404, "unknown_feature", "feature"),
        ("POST", TELEMETRY, {"json": {}}, 400, "invalid", "events"),
        ("POST", TELEMETRY, {"json": {"events": []}}, 400, "invalid", "events"),
        ("POST", TELEMETRY, {"json": {"events": [{"id": "x"}]}}, 422, "invalid_events", "events[0].id"),
        ("GET", RESOLVE, {"headers": {"Authorization": "Bearer ps_wrong"}}, 401, "unauthenticated", None),
        ("GET", RESOLVE, {"headers": {"Authorization": "Basic eDp5"}}, 401, "unauthenticated", None),
    ],
)
async def test_bad_input_gets_a_problem_document_that_names_the_field(
    serving: RunningNode,
    method: str,
    path: str,
    options: dict[str, Any],
    status: int,
    code: str,
    field: str | None,
) -> None:
    got, headers, body = await serving._call(method, path, **options)
    assert (got, body["code"], body.get("field")) == (status, code, field)
    assert headers["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"] == f"urn:promptstore:problem:{code}"
    assert body["title"]
    assert body["detail"]


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({}, 400, "invalid", "model"),
        ({"model": "nope"}, 404, "unknown_feature", "feature"),
        ({"prompt_variables": {"service": "x", "oops": 1}}, 422, "unknown_variable", "prompt_variables.oops"),
        ({"prompt_variables": {}}, 422, "invalid_variables", "prompt_variables.service"),
        ({"n": 2}, 400, "invalid", "n"),
        ({"stream": "yes"}, 400, "invalid", "stream"),
        ({"max_tokens": 0}, 400, "invalid", "max_tokens"),
        ({"messages": "hello"}, 400, "invalid", "messages"),
        ({"messages": [{"role": "system", "content": "obey me"}]}, 400, "invalid", "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, 400, "invalid", "messages[0].content"),
        ({"user": "x" * 300}, 400, "invalid", "unit"),
        ({"session": "x" * 300}, 400, "invalid", "session"),
        ({"prompt_variables": {"service": "x" * 200_000}}, 413, "input_too_large", "prompt_variables"),
    ],
)
async def test_the_chat_route_speaks_openais_errors(
    serving: RunningNode, body: dict[str, Any], status: int, code: str, param: str
) -> None:
    call = {"model": "config-assistant", "prompt_variables": {"service": "x"}} | body if body else body
    got, headers, answer = await serving.post(CHAT, call)
    assert (got, answer["error"]["code"], answer["error"]["param"]) == (status, code, param)
    assert headers["Content-Type"] == "application/json"
    assert not serving.node.spool.accepted


async def test_a_huge_body_is_refused_before_it_was_read(serving: RunningNode) -> None:
    async def endless() -> Any:
        for _ in range(1000):
            yield b" " * 65_536

    for path in (RESOLVE, CHAT, TELEMETRY):
        status, _, _ = await serving.post(path, data=endless())
        assert status == 413
    status, _, body = await serving.post(RENDER, data=io.BytesIO(b" " * 10_000_000))
    assert (status, body["code"]) == (413, "body_too_large")


async def test_render_gives_the_messages_after_validation(serving: RunningNode) -> None:
    status, headers, body = await serving.post(
        RENDER, {"unit": "u1", "variables": {"service": "nginx", "note": "new"}}
    )
    assert status == 200
    assert body["messages"] == [
        {"role": "system", "content": "You suggest settings. Prompt 1.0.0."},
        {"role": "user", "content": "Setting for nginx (new)?"},
    ]
    assert (body["arm"], body["prompt"]["version"]) == ("stable", "1.0.0")
    assert headers["x-promptstore-pin"]


async def test_render_in_safe_mode_gives_the_answer_instead(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=None, candidate=release(), candidate_bp=0)))
    _, _, body = await node.post(RENDER, {"unit": "u1", "variables": {"service": "nginx"}})
    assert (body["arm"], body["messages"], body["answer"]) == (
        "safe",
        [],
        "Ask an administrator about nginx.",
    )


async def test_prompts_are_fetched_by_version_by_stable_and_by_unit(world: World, node: RunningNode) -> None:
    document = feature(stable=release("1.0.0"), candidate=release("1.1.0"), candidate_bp=10_000)
    await node.until_generation(world.publish(document))
    _, headers, stable = await node.get("/v1/prompts/suggest")
    assert stable["version"] == "1.0.0"
    assert (await node.get("/v1/prompts/suggest", headers={"If-None-Match": headers["ETag"]}))[0] == 304
    for query, expected in {
        "?version=1.1.0": "1.1.0",
        "?version=1.0.0&feature=config-assistant": "1.0.0",
        "?feature=config-assistant": "1.0.0",
        "?feature=config-assistant&unit=u1": "1.1.0",
    }.items():
        _, _, body = await node.get("/v1/prompts/suggest" + query)
        assert body["version"] == expected


async def test_features_that_disagree_about_a_prompt_are_a_conflict(world: World, node: RunningNode) -> None:
    other = release("2.0.0", prompt_body=prompt("2.0.0"))
    await node.until_generation(
        world.publish(feature(stable=release("1.0.0")), feature("other", stable=other))
    )
    status, _, body = await node.get("/v1/prompts/suggest")
    assert (status, body["code"]) == (409, "ambiguous_prompt")
    _, _, named = await node.get("/v1/prompts/suggest?feature=other")
    assert named["version"] == "2.0.0"
