from __future__ import annotations

import asyncio
import io
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections
from django.test import override_settings
from pytest_django.fixtures import Settings

from promptstore.cli.backup import restoring
from promptstore.cli.backup.instance import instance
from promptstore.cli.backup.making import make_backup
from promptstore.core import audit, crypto, keys, schema
from promptstore.core import clock as clocks
from promptstore.core.clock import ManualClock
from promptstore.core.models import ApiKey, AuditEvent, Credential, SigningKey
from promptstore.local.progress import Progress
from providers.scripted import ScriptedServer
from registry.models import Endpoint, PromptVersion
from registry.services import endpoints
from releases import services as releases
from releases.models import Rollout
from serving.loading import Loader
from serving.models import Document, Root
from serving.settings import NodeSettings
from serving.state import ServingState
from serving.verify import SignedRoot
from tests.cast import make_cast
from tests.cli.conftest import Ended, PromptCtl
from tests.cli.databases import (
    Database,
    a_copy,
    empty_database,
    end_pooled_sessions,
    is_pooled,
    migrated_database,
)
from tests.serving.conftest import running_node
from tests.world import ANSWER, World, make_world


@dataclass(frozen=True)
class Monday:
    """A world in a database of its own, and a backup of it."""

    world: World
    database: Database
    key: ApiKey
    file: Path


@pytest.fixture(scope="module")
def monday(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monday]:
    """Releases live, a rollout on its way, a provider's key, an old session, a sealed log; made once, each test gets a copy."""
    file = tmp_path_factory.mktemp("backups") / "monday.backup"
    with (
        django_db_blocker.unblock(),
        migrated_database() as database,
        ScriptedServer({"default": {"answer": ANSWER}}) as provider,
        override_settings(DATABASE_OWNER_URL=database.owner_url, DATABASE_URL=database.application_url),
        clocks.use(ManualClock(clocks.now())),
    ):
        with database.used_by_django():
            world = make_world(make_cast("acme"), provider)
            endpoint = Endpoint.objects.get()
            endpoints.update_endpoint(
                actor=world.cast.actor("engineer"), endpoint_id=endpoint.id, revision=endpoint.revision,
                api_key="sk-secret",
            )  # fmt: skip
            key, _ = keys.create_service_key(
                actor=world.cast.actor("owner"),
                environment=world.cast.production,
                name="shop",
                scopes=["serve"],
            )
            world.roll_out()
            audit.seal_pending()
            Session.objects.create(session_key="old", session_data="", expire_date=clocks.now())
            with instance() as here:
                make_backup(here, file, with_keys=False, progress=Progress(io.StringIO()))
        yield Monday(world, database, key, file)


@pytest.fixture
def live(
    monday: Monday,
    django_db_blocker: Any,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Database]:
    """A copy of Monday's database, which commands take for the instance's."""
    monkeypatch.setenv("PROMPTSTORE_HOME", str(tmp_path / "home"))
    with django_db_blocker.unblock(), a_copy(monday.database) as database, database.used_by_django():
        settings.DATABASE_OWNER_URL = database.owner_url
        settings.DATABASE_URL = database.application_url
        yield database


def doctor(promptctl: PromptCtl, *arguments: object) -> Ended:
    """As an operator calls it who has stopped everything, a pooler too."""
    connection.close()
    end_pooled_sessions()
    return promptctl("doctor", *arguments, "--json")


def a_node_with(root: Root, present: ServingState | None = None) -> ServingState:
    """What a serving node makes of a root: it verifies, and keeps what it has if the root is older."""
    bodies = {row.pk: bytes(row.body) for row in Document.objects.all()}
    trusted = {key.key_id: bytes(key.public_key) for key in SigningKey.objects.all()}
    signed = SignedRoot(str(root.environment_id), bytes(root.body), bytes(root.signature), root.key_id)
    return Loader().load(present or ServingState(), [signed], documents=bodies, trusted=trusted)


def newest(world: World) -> Root:
    return Root.objects.filter(environment=world.cast.production).order_by("-epoch", "-generation")[0]


def untouched(live: Database) -> tuple[int, list[str]]:
    """Events in the database, and databases beside it: what a refusal leaves as it was."""
    return AuditEvent.objects.count(), live.names_beside()


def test_a_backup_is_private_says_what_it_holds_and_leaves_the_master_key_out(
    live: Database, monday: Monday, promptctl: PromptCtl, settings: Settings
) -> None:
    assert monday.file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in monday.file.parent.iterdir()] == ["monday.backup"]
    listed = promptctl("doctor", "--verify-backup", monday.file, "--json").json
    assert [member["name"] for member in listed["members"]] == ["database.dump"]
    assert settings.PROMPTSTORE_MASTER_KEY.encode() not in monday.file.read_bytes()
    heads = listed["heads"]
    assert audit.verify(expect_sequence=heads["audit_sequence"], expect_head=heads["audit_head"]).ok
    root = newest(monday.world)
    environments = {one["environment"]: (one["epoch"], one["generation"]) for one in heads["environments"]}
    assert environments["production"] == (root.epoch, root.generation)
    assert heads["projects"][0]["live_rollouts"] == 1
    listing = subprocess.run(["tar", "-tf", monday.file], capture_output=True, text=True, check=True).stdout
    assert listing.split() == ["database.dump", "manifest.json", "seal.json"]


def test_a_backup_never_overwrites_a_file(live: Database, monday: Monday, promptctl: PromptCtl) -> None:
    before = monday.file.read_bytes()
    ended = doctor(promptctl, "--backup", monday.file)
    assert (ended.code, ended.problem["code"]) == (1, "backup_exists")
    assert monday.file.read_bytes() == before


def test_after_more_changes_a_restore_brings_the_backup_back_and_says_so_everywhere(
    live: Database, monday: Monday, promptctl: PromptCtl
) -> None:
    world, cast = monday.world, monday.world.cast
    versions = PromptVersion.objects.count()
    # After the backup: a version, a rolled back rollout, a revoked key, a checkpoint that somebody keeps elsewhere.
    world.publish("Changed after the backup.")
    rollout = Rollout.objects.get()
    place = {"project_id": cast.project.id, "rollout_id": rollout.id}
    releases.roll_back(actor=cast.actor("operator"), **place, reason="Bad.", at_once=True)
    keys.revoke_key(actor=cast.actor("owner"), key_id=monday.key.pk, project_id=cast.project.id)
    audit.seal_pending()
    kept, seen = audit.verify(), newest(world)
    node = a_node_with(seen)

    ended = doctor(promptctl, "--restore", monday.file, "--replace", "--yes")
    assert ended.code == 0, ended.err

    # What was there is there again, and opens.
    assert PromptVersion.objects.count() == versions
    assert crypto.unseal(bytes(Credential.objects.get().sealed)) == "sk-secret"
    # Nothing goes on by itself, and the record says why.
    rollout = Rollout.objects.get()
    assert (rollout.state, rollout.weight_bp) == ("paused", 200)
    assert "Restored from the backup" in rollout.pause_reason
    assert rollout.decisions.latest("number").kind == "pause"
    assert not Session.objects.exists()
    # The former database knew that this key had been revoked.
    assert ApiKey.objects.get(pk=monday.key.pk).revoked_at is not None
    assert ended.json["keys_revoked_again"] == 1
    # A node that has seen a later generation takes the new epoch, and the root's number is none that it knows.
    root = newest(world)
    assert root.epoch > seen.epoch
    assert root.pk > seen.pk
    served = a_node_with(root, node).environments[str(cast.production.id)]
    assert (served.root.epoch, served.refused) == (root.epoch, None)
    # The chain is whole, and shows the restore.
    found = promptctl("audit", "verify", "--json")
    assert found.code == 0
    heads = ended.json["backup"]["heads"]
    assert [one["backup_sequence"] for one in found.json["restores"]] == [heads["audit_sequence"]]
    assert found.json["head"] == ended.json["head"]
    event = AuditEvent.objects.get(action="system.restored")
    assert (event.actor_name, event.project_id) == ("restore", cast.project.id)
    assert event.after is not None
    assert event.after["former"] == {"sequence": kept.sequence, "head": kept.head}
    # A checkpoint from the lost time does not pass, and the fault says what happened.
    lost = promptctl("audit", "verify", "--expect-sequence", kept.sequence, "--expect-head", kept.head)
    assert lost.code == 1
    assert "restored at" in lost.out
    assert "events before the checkpoint you kept are lost" in lost.out
    # The former database is kept under another name; the application's rights are what they were.
    assert live.names_beside() == [ended.json["former_database"]]
    checks = {one["check"]: one["verdict"] for one in promptctl("doctor", "--json").json["findings"]}
    assert {checks[name] for name in ("database", "migrations", "role separation", "insert-only tables")} == {
        "ok"
    }
    # And it works on, within the new epoch.
    releases.resume_rollout(actor=cast.actor("operator"), **place, reason="Looked.")
    assert (newest(world).epoch, newest(world).generation) == (root.epoch, root.generation + 1)
    audit.seal_pending()
    assert audit.verify().ok


@pytest.mark.skipif(is_pooled(), reason="nodes listen, which a pooler by transaction does not pass on")
async def test_a_running_node_stays_up_through_a_restore_and_follows_the_new_epoch(
    live: Database, monday: Monday, promptctl: PromptCtl, tmp_path: Path
) -> None:
    cast = monday.world.cast

    def change() -> int:
        owner = cast.actor("owner")
        keys.create_service_key(actor=owner, environment=cast.production, name="new", scopes=["serve"])
        keys.revoke_key(actor=owner, key_id=monday.key.pk, project_id=cast.project.id)
        found = newest(monday.world).generation
        connection.close()
        return found

    settings = NodeSettings(
        database_url=live.application_url,
        home=tmp_path / "node",
        name="node",
        master_key=b"m" * 32,
        poll_s=0.5,
    )
    async with running_node(settings) as node:

        def root() -> Any:
            served = node.node.holder.current.environments.get(str(cast.production.id))
            return served and served.root

        generation = await asyncio.to_thread(change)
        await node.until(lambda: root() and root().generation == generation, within_s=60)
        ended = await asyncio.to_thread(doctor, promptctl, "--restore", monday.file, "--replace", "--yes")
        assert ended.code == 0, ended.err
        epoch = ended.json["epochs"]["acme/production"]
        await node.until(lambda: root().order == tuple(epoch), within_s=60)
        assert root().generation < generation, "an older generation, and taken all the same"
        status, _, _ = await node.get("/livez")
        assert status == 200


def test_a_backup_of_a_busy_database_is_of_one_moment_and_fills_an_empty_one(
    live: Database, monday: Monday, promptctl: PromptCtl, settings: Settings, tmp_path: Path
) -> None:
    stop = threading.Event()
    written: list[str] = []

    def write() -> None:
        cast = monday.world.cast
        while not stop.is_set():
            name = f"token {len(written)}"
            try:
                keys.create_personal_token(actor=cast.actor("writer"), project_id=cast.project.pk, name=name)
                audit.seal_pending()
            except OperationalError:
                # A pooler may hand out a connection that the server ended a moment ago, as earlier restores do.
                connections.close_all()
                continue
            written.append(name)
        connections.close_all()

    file = tmp_path / "busy.backup"
    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert doctor(promptctl, "--backup", file, "--with-keys").code == 0
    finally:
        stop.set()
        writer.join()
    assert written
    assert settings.PROMPTSTORE_MASTER_KEY.encode() in file.read_bytes()
    # That the dump is of the manifest's moment is what filling a database checks, row by row of the heads.
    with empty_database() as other:
        settings.DATABASE_OWNER_URL, settings.DATABASE_URL = other.owner_url, other.application_url
        ended = doctor(promptctl, "--restore", file)
        assert ended.code == 0, ended.err
        assert (ended.json["replaced"], ended.json["former_database"]) == (None, None)
        assert ended.json["log_is_whole"]
        assert other.names_beside() == []
        with psycopg.connect(other.application_url) as application:
            row = application.execute(
                "SELECT after->'former' FROM core_auditevent WHERE action = 'system.restored'"
            )
            assert row.fetchone() == (None,)


@pytest.mark.parametrize("place", ["dump", "manifest", "end", "cut", "text"])
def test_a_changed_byte_is_refused_and_nothing_changes(
    live: Database, monday: Monday, promptctl: PromptCtl, tmp_path: Path, place: str
) -> None:
    data = bytearray(monday.file.read_bytes())
    if place == "cut":
        del data[-700:]
    elif place == "text":
        data = bytearray(b"not a backup at all")
    else:
        at = {"dump": len(data) // 3, "manifest": data.index(b"made_at") + 12, "end": len(data) - 5}[place]
        data[at] ^= 1
    file = tmp_path / "spoiled.backup"
    file.write_bytes(data)
    before = untouched(live)
    for arguments in (("--verify-backup", file), ("--restore", file, "--replace", "--yes")):
        ended = doctor(promptctl, *arguments)
        assert (ended.code, ended.problem["code"]) == (1, "backup_damaged")
    assert untouched(live) == before


def test_what_must_not_be_replaced_is_not(live: Database, monday: Monday, promptctl: PromptCtl) -> None:
    before = untouched(live)
    ended = doctor(promptctl, "--restore", monday.file)
    assert (ended.code, ended.problem["code"], ended.problem["field"]) == (
        1,
        "database_not_empty",
        "--replace",
    )
    ended = doctor(promptctl, "--restore", monday.file, "--replace")
    assert (ended.code, ended.problem["field"]) == (2, "--yes"), "nobody is there to type the name"
    with instance() as here, psycopg.connect(here.application_url):
        ended = promptctl("doctor", "--restore", monday.file, "--replace", "--yes", "--json")
        assert (ended.code, ended.problem["code"]) == (1, "database_in_use")
        role = urlsplit(live.application_url).username
        assert f"of {role}" in ended.problem["detail"]
    assert untouched(live) == before


def test_what_this_version_cannot_read_or_open_is_refused(
    live: Database, monday: Monday, promptctl: PromptCtl, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = untouched(live)
    arguments = ("--restore", monday.file, "--replace", "--yes")
    with monkeypatch.context() as older:
        older.setattr(restoring, "version", lambda: "0.0.9")
        assert doctor(promptctl, *arguments).problem["code"] == "backup_newer"
    known = schema.known_migrations()
    with monkeypatch.context() as older:
        older.setattr(schema, "known_migrations", lambda: known - {"core.0002_initial"})
        ended = doctor(promptctl, *arguments)
        assert (ended.code, ended.problem["code"]) == (1, "backup_newer")
        assert "core.0002_initial" in ended.problem["detail"]
    settings.PROMPTSTORE_MASTER_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    assert doctor(promptctl, *arguments).problem["code"] == "master_key"
    assert untouched(live) == before


def test_a_drill_proves_that_the_backup_restores_and_changes_nothing(
    live: Database, promptctl: PromptCtl
) -> None:
    before, root = untouched(live), Root.objects.latest("id").pk
    ended = doctor(promptctl, "--drill")
    assert ended.code == 0, ended.err
    assert (ended.json["ok"], ended.json["rollouts_paused"]) == (True, 1)
    assert (untouched(live), Root.objects.latest("id").pk) == (before, root)
    assert Rollout.objects.get().state == "running"


def test_options_that_do_not_belong_together_are_usage_errors(promptctl: PromptCtl) -> None:
    assert promptctl("doctor", "--drill", "--backup", "x").code == 2
    assert promptctl("doctor", "--replace").code == 2
    assert promptctl("doctor", "--with-keys", "--verify-backup", "x").code == 2
    assert promptctl("doctor", "--verify-backup", "nowhere.backup").code == 1
