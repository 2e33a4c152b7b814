from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from providers.scripted import ScriptedServer
from tests.serving.conftest import RunningNode
from tests.serving.world import World, feature, prompt, release

SCHEMA = {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]}


async def events_in_database(world: World, node: RunningNode, count: int) -> list[dict[str, Any]]:
    rows = await node.until(
        lambda: (
            len(rows := world.query("SELECT to_jsonb(i) FROM telemetry_inference i ORDER BY id")) >= count
            and rows
        )
    )
    assert len(rows) == count
    return [row[0] for row in rows]


async def serve(world: World, node: RunningNode, scripted: ScriptedServer, **release_options: Any) -> None:
    document = feature(stable=release("1.0.0", **release_options))
    await node.until_generation(world.publish(document, base_url=scripted.base_url))


async def test_an_answer_comes_in_openai_shape_with_its_provenance(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(
        world,
        node,
        scripted,
        price={"input_nanos_per_mtok": 1_000_000_000, "output_nanos_per_mtok": 2_000_000_000},
    )
    scripted.script({"models": {"scripted-1": {"answer": "worker_processes for $last"}}})
    status, headers, body = await node.chat(unit="u1", session="s-9")
    assert status == 200
    assert body["object"] == "chat.completion"
    assert body["model"] == "config-assistant"
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "worker_processes for Setting for nginx?",
    }
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (
        body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    )
    assert headers["x-promptstore-release"] == "1.0.0"
    assert headers["x-promptstore-arm"] == "stable"
    assert headers["x-promptstore-prompt"] == "suggest@1.0.0"
    assert headers["x-promptstore-model"] == "suggester@1.0.0"
    assert headers["x-promptstore-pin"]
    sent = scripted.app.recent[-1]["body"]
    assert sent["model"] == "scripted-1"
    assert sent["messages"][0]["role"] == "system"
    assert (sent["temperature"], sent["max_tokens"]) == (0, 200)

    (event,) = await events_in_database(world, node, 1)
    assert event["id"] == headers["x-promptstore-inference"]
    assert event["status"] == "ok"
    assert event["arm"] == "stable"
    assert event["session"] == "s-9"
    assert event["variables_redacted"] == {"service": "nginx"}
    assert event["output_redacted"].startswith("worker_processes")
    assert len(event["unit_hash"]) == 64
    assert event["endpoint_revision"] == 1
    usage = body["usage"]
    assert event["cost_usd_nanos"] == usage["prompt_tokens"] * 1_000 + usage["completion_tokens"] * 2_000
    assert "u1" not in orjson.dumps(event).decode()


async def test_the_callers_messages_follow_the_prompt_and_ignored_fields_are_named(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    history = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "second"},
        {"role": "user", "content": "third"},
    ]
    status, headers, _ = await node.chat(messages=history, temperature=1.5, tools=[], max_tokens=7)
    assert status == 200
    sent = scripted.app.recent[-1]["body"]
    assert sent["messages"][2:] == history
    assert (sent["temperature"], sent["max_tokens"]) == (0, 7)
    assert headers["x-promptstore-ignored"] == "temperature,tools"


async def test_a_traceparent_is_continued_upstream_and_recorded(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    trace_id, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    await node.post(
        "/v1/chat/completions",
        {"model": "config-assistant", "prompt_variables": {"service": "x"}},
        headers={"traceparent": f"00-{trace_id}-{parent}-01"},
    )
    sent = scripted.app.recent[-1]["headers"]["traceparent"]
    (event,) = await events_in_database(world, node, 1)
    assert event["trace_id"] == trace_id
    assert sent == f"00-{trace_id}-{event['span_id']}-01"
    assert event["span_id"] != parent


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ({"status": 500}, 502, "upstream_unavailable"),
        ({"status": 429, "retry_after": "7"}, 502, "upstream_rate_limited"),
        ({"status": 401}, 502, "upstream_unauthorized"),
        ({"status": 400}, 502, "upstream_bad_request"),
        ({"html": True}, 502, "upstream_malformed"),
        ({"broken_json": True}, 502, "upstream_malformed"),
        ({"truncate": True}, 502, "upstream_truncated"),
        ({"huge_bytes": 20_000_000}, 502, "upstream_too_large"),
        ({"hang": True}, 504, "upstream_timeout"),
        ({"bytes_per_s": 20}, 504, "upstream_timeout"),
        ({"redirect_to": "http://169.254.169.254/"}, 502, "upstream_malformed"),
    ],
)
async def test_a_failing_provider_is_an_openai_error_and_is_recorded(
    world: World,
    node: RunningNode,
    scripted: ScriptedServer,
    behaviour: dict[str, Any],
    status: int,
    code: str,
) -> None:
    await serve(world, node, scripted, config={"limits": {"timeout_ms": 400}})
    scripted.script({"default": behaviour})
    got, headers, body = await node.chat(unit="u1")
    assert (got, body["error"]["code"]) == (status, code)
    assert "scripted failure" not in body["error"]["message"]
    assert headers.get("Retry-After") == behaviour.get("retry_after")
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["error_code"], event["arm"]) == ("error", code, "stable")


async def test_an_unreachable_provider_is_an_openai_error(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release())))
    status, _, body = await node.chat()
    assert (status, body["error"]["code"]) == (502, "upstream_unavailable")


async def test_output_validity_is_recorded_when_the_prompt_has_a_schema(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(
        world,
        node,
        scripted,
        prompt_body=prompt(output_schema=SCHEMA, params={"response_format": "json_schema"}),
    )
    for answer in ('{"key": "a"}', '{"key": 1}', "no json"):
        scripted.script({"default": {"answer": answer}})
        status, _, body = await node.chat()
        assert (status, body["choices"][0]["message"]["content"]) == (200, answer)
    assert scripted.app.recent[-1]["body"]["response_format"]["json_schema"]["schema"] == SCHEMA
    events = await events_in_database(world, node, 3)
    assert [event["output_valid"] for event in events] == [True, False, False]


async def test_safe_mode_answers_from_its_template_without_a_model_call(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    document = feature(
        stable=release("1.0.0"),
        candidate=release("1.1.0"),
        withdrawn_bp=10_000,
        on_withdraw="safe_mode",
        state="rolled_back",
    )
    await node.until_generation(world.publish(document, base_url=scripted.base_url))
    status, headers, body = await node.chat(unit="u1")
    assert status == 200
    assert body["choices"][0]["message"]["content"] == "Ask an administrator about nginx."
    assert (headers["x-promptstore-arm"], headers["x-promptstore-model"]) == ("safe", "none")
    assert not scripted.app.counts
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["arm"], event["model"], event["release_version"]) == (
        "safe_mode",
        "safe",
        "",
        "1.1.0",
    )


async def test_safe_mode_answers_even_when_its_template_does_not_fit(world: World, node: RunningNode) -> None:
    broken = release("1.1.0", config={"safe_mode": {"kind": "template", "template": "{{ nothing.here }}"}})
    await node.until_generation(world.publish(feature(stable=None, candidate=broken, candidate_bp=0)))
    status, _, body = await node.chat(unit="u1")
    assert status == 200
    assert "not available" in body["choices"][0]["message"]["content"]


async def test_a_credential_is_unsealed_for_the_call_and_its_absence_is_an_error(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    world.publish(feature(stable=release()), base_url=scripted.base_url, endpoint={"has_credential": True})
    await node.until_generation(1)
    status, _, body = await node.chat()
    assert (status, body["error"]["code"]) == (502, "upstream_unauthorized")
    await node.until(lambda: world.query("SELECT 1 FROM serving_node WHERE name = 'node-1'"))
    world.seal_credential("node-1", "sk-secret-of-the-provider")
    await node.until(lambda: node.node.holder.current.credentials)
    status, _, _ = await node.chat()
    assert status == 200
    assert scripted.app.recent[-1]["headers"]["Authorization"] == "Bearer sk-secret-of-the-provider"
    manifest = (node.node.settings.home / "state" / "manifest.json").read_text()
    assert "sk-secret" not in manifest


async def test_a_credential_that_was_replaced_is_used_from_the_next_call_on(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    world.publish(feature(stable=release()), base_url=scripted.base_url, endpoint={"has_credential": True})
    await node.until_generation(1)
    await node.until(lambda: world.query("SELECT 1 FROM serving_node WHERE name = 'node-1'"))
    for secret in ("sk-first", "sk-second"):
        await _receive_credential(world, node, secret)
        for _ in range(2):
            assert (await node.chat())[0] == 200
            assert scripted.app.recent[-1]["headers"]["Authorization"] == f"Bearer {secret}"


async def _receive_credential(world: World, node: RunningNode, secret: str) -> None:
    before = node.node.holder.current.credentials
    world.seal_credential("node-1", secret)
    await node.until(lambda: node.node.holder.current.credentials != before)


async def test_an_endpoint_that_may_not_be_private_cannot_reach_loopback(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    world.publish(feature(stable=release()), base_url=scripted.base_url, endpoint={"allow_private": False})
    await node.until_generation(1)
    status, _, body = await node.chat()
    assert (status, body["error"]["code"]) == (502, "upstream_unavailable")
    assert not scripted.app.counts


async def test_a_changed_endpoint_is_used_by_the_next_call(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    await node.chat()
    with ScriptedServer({"default": {"answer": "from the second"}}) as second:
        generation = world.publish(
            feature(stable=release()), base_url=second.base_url, endpoint={"revision": 2}
        )
        await node.until_generation(generation)
        _, _, body = await node.chat()
    assert body["choices"][0]["message"]["content"] == "from the second"
    events = await events_in_database(world, node, 2)
    assert [event["endpoint_revision"] for event in events] == [1, 2]


async def test_the_rate_limit_of_the_config_is_enforced(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config={"limits": {"rate_per_s": 2}})
    results = await asyncio.gather(*(node.chat() for _ in range(6)))
    statuses = sorted(status for status, _, _ in results)
    assert statuses[:2] == [200, 200]
    assert statuses[-1] == 429
    refused = next((headers, body) for status, headers, body in results if status == 429)
    assert refused[0]["Retry-After"] == "1"
    assert refused[1]["error"]["code"] == "rate_limited"


async def test_a_client_that_goes_away_cancels_the_call_upstream(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted, config={"limits": {"timeout_ms": 60_000}})
    scripted.script({"default": {"hang": True}})
    call = asyncio.create_task(node.chat(unit="u1"))
    await node.until(lambda: scripted.app.counts["scripted-1"])
    call.cancel()
    await node.until(lambda: scripted.app.disconnects == 1)
    (event,) = await events_in_database(world, node, 1)
    assert (event["status"], event["error_code"]) == ("ok", "client_closed")


async def test_personal_data_is_redacted_before_it_touches_the_disk(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    await serve(world, node, scripted)
    scripted.script({"default": {"answer": "Write to anna@mail.example or pay 4111 1111 1111 1111."}})
    _, _, body = await node.chat(
        prompt_variables={"service": "mail of bob@mail.example"}, unit="carol@mail.example"
    )
    assert "anna@mail.example" in body["choices"][0]["message"]["content"]
    (event,) = await events_in_database(world, node, 1)
    everything = orjson.dumps(event).decode()
    assert "@mail.example" not in everything
    assert "4111" not in everything
    assert "[redacted:email]" in event["output_redacted"]
    for path in (node.node.settings.home / "spool").iterdir():
        assert b"@mail.example" not in path.read_bytes()


async def test_a_broken_prompt_or_policy_fails_closed_and_counts_against_its_arm(
    world: World, node: RunningNode, scripted: ScriptedServer
) -> None:
    for broken in (
        {"config": {"policy": {"mode": "buffer", "banned": [{"id": "x", "pattern": "/(a+)+/"}]}}},
        {"prompt_body": prompt(messages=[{"role": "user", "content": "{% import 'x' as y %}"}])},
    ):
        await serve(world, node, scripted, **broken)
        status, _, body = await node.chat()
        assert (status, body["error"]["code"]) == (503, "release_unusable")
    assert not scripted.app.counts
    events = await events_in_database(world, node, 2)
    assert {event["status"] for event in events} == {"error"}
