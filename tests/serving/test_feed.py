from __future__ import annotations

import asyncio
import dataclasses
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from nacl.signing import SigningKey

from promptstore.local.embedded import PostgresUrls, embedded_postgres
from serving.settings import NodeSettings
from tests.serving.conftest import RunningNode, running_node
from tests.serving.world import AUTH, World, feature, key_entry, release

PATH = "/v1/features/config-assistant/resolve?unit=u1"


async def version(node: RunningNode) -> str:
    status, _, body = await node.get(PATH)
    assert status == 200
    return str(body["release"]["version"])


async def refusals(node: RunningNode, reason: str) -> None:
    await node.until(lambda: node.node.feed.loader.refusals[reason])  # type: ignore[index]


async def test_a_published_root_is_served_within_a_moment(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    assert await version(node) == "1.0.0"
    generation = world.publish(feature(stable=release("1.1.0")))
    started = time.monotonic()
    await node.until_generation(generation)
    # Far below the poll interval: the wake-up came by NOTIFY.
    assert time.monotonic() - started < node.node.settings.poll_s
    assert await version(node) == "1.1.0"


async def test_a_lost_wake_up_is_made_good_by_the_poll(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    await node.until_generation(world.publish(feature(stable=release("1.1.0")), announce=False))
    assert await version(node) == "1.1.0"


async def test_what_was_published_while_the_connection_was_lost_is_loaded_on_reconnect(
    world: World, node: RunningNode
) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    with psycopg.connect(world.url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'promptstore-serving'"
        )
        generation = world.publish(feature(stable=release("1.1.0")), announce=False)
    await node.until_generation(generation)
    assert await version(node) == "1.1.0"


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ({"signature": b"x" * 64}, "bad_signature"),
        ({"signature": b"short"}, "bad_signature"),
        ({"key_id": "somebody-else"}, "unknown_key"),
        ({"spoil": {"config-assistant": b'{"format": 1}'}}, "wrong_digest"),
        ({"extra_root": {"format": 99}}, "unknown_format"),
        ({"extra_root": {"documents": "nothing"}}, "malformed"),
        ({"extra_root": {"node": "sha256:" + "0" * 64}}, "missing_document"),
        ({"epoch": 0, "generation": 9}, "older"),
    ],
)
async def test_a_root_that_is_not_right_is_refused_and_the_last_good_one_served(
    world: World, node: RunningNode, offer: dict[str, Any], reason: str
) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    if reason == "older":
        with psycopg.connect(world.url) as connection:
            connection.execute("DELETE FROM serving_root")
    world.publish(feature(stable=release("6.6.6")), **offer)
    await refusals(node, reason)
    status, headers, body = await node.get(PATH)
    assert (status, body["release"]["version"]) == (200, "1.0.0")
    assert headers["x-promptstore-stale-since"]
    _, _, ready = await node.get("/readyz")
    assert ready["environments"][0]["refused"] == reason
    _, _, metrics = await node.get("/metrics")
    assert f'promptstore_serving_roots_refused_total{{reason="{reason}"}}'.encode() in metrics

    # The next good root ends it.
    generation = world.publish(feature(stable=release("1.1.0")), generation=50)
    await node.until_generation(generation)
    _, headers, body = await node.get(PATH)
    assert body["release"]["version"] == "1.1.0"
    assert "x-promptstore-stale-since" not in headers


async def test_a_key_that_is_known_cannot_be_replaced_under_its_name(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    world.signing_key = SigningKey.generate()
    with psycopg.connect(world.url) as connection:
        connection.execute(
            "UPDATE core_signingkey SET public_key = %s", [bytes(world.signing_key.verify_key)]
        )
    world.publish(feature(stable=release("6.6.6")))
    await refusals(node, "bad_signature")
    assert await version(node) == "1.0.0"


async def test_a_rotated_key_is_taken_beside_the_old_one(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    world.signing_key, world.key_id = SigningKey.generate(), "snapshot-next"
    with psycopg.connect(world.url) as connection:
        connection.execute(
            "INSERT INTO core_signingkey VALUES (%s, 'snapshot', %s)",
            [world.key_id, bytes(world.signing_key.verify_key)],
        )
    await node.until_generation(world.publish(feature(stable=release("1.1.0"))))
    assert await version(node) == "1.1.0"


async def test_a_restore_from_backup_starts_a_new_epoch_and_may_go_back(
    world: World, node: RunningNode
) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0")), generation=90))
    await node.until_generation(world.publish(feature(stable=release("0.9.0")), epoch=2, generation=5))
    assert await version(node) == "0.9.0"


async def test_another_root_of_the_same_number_is_noticed_after_a_failover_and_not_served(
    world: World, node: RunningNode
) -> None:
    lost = world.publish(feature(stable=release("1.0.0")))
    await node.until_generation(lost)
    # A replica that had not received this root was promoted, and numbered its next one the same, row and all.
    with psycopg.connect(world.url) as connection:
        row = connection.execute("DELETE FROM serving_root RETURNING id").fetchone()
        assert row
        connection.commit()
        world.publish(feature(stable=release("6.6.6")), generation=lost, announce=False)
        connection.execute("UPDATE serving_root SET id = %s", row)
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'promptstore-serving'"
        )
    await refusals(node, "conflicting")
    _, headers, body = await node.get(PATH)
    assert body["release"]["version"] == "1.0.0"
    assert headers["x-promptstore-stale-since"]
    # What the new server writes next is newer than both.
    await node.until_generation(world.publish(feature(stable=release("1.1.0"))))
    _, headers, body = await node.get(PATH)
    assert body["release"]["version"] == "1.1.0"
    assert "x-promptstore-stale-since" not in headers


async def test_a_revoked_key_stops_and_an_expired_or_narrow_one_is_refused(
    world: World, node: RunningNode
) -> None:
    document = feature(stable=release())
    await node.until_generation(world.publish(document))
    assert (await node.get(PATH))[0] == 200
    await node.until_generation(world.publish(document, keys=key_entry("ps_another")))
    status, headers, body = await node.get(PATH)
    assert (status, body["code"], headers["WWW-Authenticate"]) == (401, "unauthenticated", "Bearer")
    await node.until_generation(
        world.publish(document, keys=key_entry(expires_at="2020-01-01T00:00:00+00:00"))
    )
    assert (await node.get(PATH))[0] == 401
    await node.until_generation(world.publish(document, keys=key_entry(scopes=("telemetry",))))
    status, _, body = await node.get(PATH)
    assert (status, body["code"], body["scope"]) == (403, "not_allowed", "serve")


async def test_before_the_first_snapshot_nobody_is_told_that_their_key_is_wrong(node: RunningNode) -> None:
    status, headers, body = await node.get(PATH)
    assert (status, body["code"]) == (503, "no_snapshot")
    assert headers["Retry-After"]
    assert (await node.get("/readyz"))[0] == 503
    assert (await node.get("/livez"))[0] == 200


async def test_the_node_registers_with_its_own_key_which_stays_the_same(
    world: World, settings: NodeSettings
) -> None:
    keys = []
    for _ in range(2):
        async with running_node(settings) as node:
            keys += [
                await node.until(
                    lambda: world.query("SELECT public_key FROM serving_node WHERE name = 'node-1'")
                )
            ]
    assert keys[0] == keys[1]
    assert (settings.home / "node.key").stat().st_mode & 0o777 == 0o600


async def test_a_node_starts_from_its_disk_when_the_database_is_gone(
    world: World, settings: NodeSettings
) -> None:
    async with running_node(settings) as node:
        await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
        await node.until((settings.home / "state" / "manifest.json").exists)
        contacted_at = node.node.feed._freshness.contacted_at
        assert contacted_at is not None
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    async with running_node(away) as node:
        status, headers, body = await node.get(PATH)
        assert (status, body["release"]["version"]) == (200, "1.0.0")
        # Not since it was written: what the database said was older by then.
        assert headers["x-promptstore-stale-since"] <= contacted_at.isoformat()
        status, _, ready = await node.get("/readyz")
        assert (status, ready["status"]) == (200, "ready")
        assert ready["stale_since"]


async def test_what_could_not_be_saved_is_served_and_saved_once_there_is_room(
    world: World, settings: NodeSettings
) -> None:
    state = settings.home / "state"
    async with running_node(settings) as node:
        await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
        await node.until((state / "manifest.json").exists)
        state.rename(settings.home / "moved")
        state.write_text("no directory can be made here")
        await node.until_generation(world.publish(feature(stable=release("1.1.0"))))
        assert await version(node) == "1.1.0"
        state.unlink()
        # Nothing more is published: the next round saves what is served already.
        await node.until((state / "manifest.json").exists)
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    async with running_node(away) as node:
        assert await version(node) == "1.1.0"


async def test_a_disk_copy_that_was_tampered_with_is_not_served(world: World, settings: NodeSettings) -> None:
    async with running_node(settings) as node:
        await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
        await node.until((settings.home / "state" / "manifest.json").exists)
    for path in (settings.home / "state" / "documents").iterdir():
        path.write_bytes(path.read_bytes().replace(b"1.0.0", b"6.6.6"))
    away = dataclasses.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none")
    async with running_node(away) as node:
        assert (await node.get(PATH))[0] == 503
    (settings.home / "state" / "manifest.json").write_text('{"format": 99}')
    async with running_node(settings) as node:
        await node.until_generation(1)
        assert await version(node) == "1.0.0"


@pytest.fixture
def own_postgres() -> Iterator[tuple[PostgresUrls, Any]]:
    """A server of this test alone, and functions that stop and start it."""
    home = Path(tempfile.mkdtemp(prefix="ps-outage-"))
    running: list[Any] = []

    def start() -> PostgresUrls:
        manager = embedded_postgres(home, durable=False)
        running.append(manager)
        return manager.__enter__()

    def stop() -> None:
        running.pop().__exit__(None, None, None)

    urls = start()
    yield urls, (stop, start)
    while running:
        stop()
    shutil.rmtree(home, ignore_errors=True)


async def test_with_postgres_stopped_the_node_answers_says_how_stale_it_is_and_recovers(
    own_postgres: tuple[PostgresUrls, Any], settings: NodeSettings
) -> None:
    urls, (stop, start) = own_postgres
    world = World(urls.superuser_url)
    world.create_tables()
    world.reset()
    async with running_node(dataclasses.replace(settings, database_url=world.url)) as node:
        await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
        _, headers, _ = await node.get(PATH)
        assert "x-promptstore-stale-since" not in headers
        stop()
        await node.until(lambda: node.node.freshness.stale_since)
        status, headers, body = await node.get(PATH)
        assert (status, body["release"]["version"]) == (200, "1.0.0")
        assert headers["x-promptstore-stale-since"]
        status, _, ready = await node.get("/readyz")
        assert status == 200
        assert ready["environments"][0]["stale_since"] == headers["x-promptstore-stale-since"]
        _, _, metrics = await node.get("/metrics")
        assert b"promptstore_serving_stale_seconds" in metrics
        # What happens meanwhile is kept and delivered afterwards.
        assert (await node.chat())[0] == 502
        start()
        generation = world.publish(feature(stable=release("1.1.0")))
        await node.until(
            lambda: node.node.holder.current.environments and not node.node.freshness.stale_since, within_s=20
        )
        await node.until_generation(generation)
        assert await version(node) == "1.1.0"
        await node.until(lambda: world.query("SELECT 1 FROM telemetry_inference"), within_s=20)


async def test_snapshot_and_its_events_follow_the_generation(world: World, node: RunningNode) -> None:
    await node.until_generation(world.publish(feature(stable=release("1.0.0"))))
    status, headers, body = await node.get("/v1/snapshot")
    assert status == 200
    assert (await node.get("/v1/snapshot", headers={"If-None-Match": headers["ETag"]}))[0] == 304
    text = str(body)
    assert "keys" not in body["root"]["body"]
    assert "ps_" not in text
    root = body["root"]
    world.signing_key.verify_key.verify(root["body"].encode(), bytes.fromhex(root["signature"]))
    assert len(body["documents"]) == 1
    async with node.client.get(node.url + "/v1/snapshot/events", headers=AUTH) as response:
        assert response.content_type == "text/event-stream"

        async def next_data() -> bytes:
            async with asyncio.timeout(5):
                while not (line := await response.content.readline()).startswith(b"data: "):
                    assert line
                return line

        assert b'"generation":1' in await next_data()
        world.publish(feature(stable=release("1.1.0")))
        assert b'"generation":2' in await next_data()
        world.publish(feature(stable=release("1.1.0")), keys=key_entry("ps_another"))
        async with asyncio.timeout(5):
            assert b"data" not in await response.content.read()
