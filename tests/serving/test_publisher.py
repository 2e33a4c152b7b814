"""The control plane's half of the snapshot: what is written, when, and what a node makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from nacl.public import PrivateKey

from promptstore.core import clock as clocks
from promptstore.core import crypto, keys
from promptstore.core.clock import ManualClock
from promptstore.core.digests import digest_bytes
from promptstore.core.ids import uuid7
from promptstore.core.models import ApiKey, Environment, SigningKey
from providers.scripted import ScriptedServer
from registry.models import Endpoint
from registry.services import endpoints
from serving import publisher
from serving.documents import parse_feature, parse_node
from serving.identity import NodeIdentity, load_identity
from serving.loading import Loader
from serving.models import Document, Node, NodeCredential, Root
from serving.services import seal_credentials
from serving.state import ServingState
from serving.verify import RefusalReason, RefusedError, SignedRoot, check_document, verify_root
from telemetry.models import Inference
from tests.cast import Cast, make_cast
from tests.threads import at_once
from tests.traffic import record
from tests.world import World, make_world


@pytest.fixture
def made(cast: Cast, provider: ScriptedServer, clock: ManualClock) -> World:
    return make_world(cast, provider)


def publish(environment: Environment) -> Root:
    return publisher.publish(environment.pk)


def said(root: Root) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes(root.body))
    return found


def document(digest: str) -> bytes:
    return bytes(Document.objects.get(pk=digest).body)


def signed(root: Root) -> SignedRoot:
    return SignedRoot(str(root.environment_id), bytes(root.body), bytes(root.signature), root.key_id)


def trusted() -> dict[str, bytes]:
    return {key.key_id: bytes(key.public_key) for key in SigningKey.objects.all()}


def served_keys(root: Root) -> set[str]:
    return set(json.loads(document(said(root)["node"]))["keys"])


def new_key(cast: Cast, name: str = "checkout", **options: Any) -> ApiKey:
    return keys.create_service_key(
        actor=cast.actor("owner"), environment=cast.production, name=name, scopes=["serve"], **options
    )[0]


# --- documents and roots ---------------------------------------------------------------------------------


def test_documents_are_named_by_their_content(made: World) -> None:
    root = publish(made.cast.production)
    digests = [*said(root)["documents"].values(), said(root)["node"]]
    assert len(digests) == 2
    assert all(digest_bytes(document(digest)) == digest for digest in digests)
    assert parse_feature(document(digests[0])).feature == made.feature.slug
    assert parse_node(document(digests[1])).endpoints


def test_publishing_again_without_a_change_writes_nothing(made: World, clock: ManualClock) -> None:
    root = publish(made.cast.production)
    counts = (Root.objects.count(), Document.objects.count())
    clock.advance(hours=1)
    assert publish(made.cast.production) == root
    assert (Root.objects.count(), Document.objects.count()) == counts


def test_a_change_writes_only_the_document_it_touches(made: World) -> None:
    before = publish(made.cast.production)
    documents = set(Document.objects.values_list("pk", flat=True))
    new_key(made.cast)
    after = publish(made.cast.production)
    assert said(after)["documents"] == said(before)["documents"]
    assert set(Document.objects.values_list("pk", flat=True)) - documents == {said(after)["node"]}
    assert after.generation == before.generation + 1


def test_what_comes_back_is_not_written_twice(made: World) -> None:
    before = publish(made.cast.production)
    key = new_key(made.cast)
    publish(made.cast.production)
    keys.revoke_key(actor=made.cast.actor("owner"), key_id=key.id, project_id=made.cast.project.id)
    documents = Document.objects.count()
    back = publish(made.cast.production)
    assert said(back)["node"] == said(before)["node"]
    assert Document.objects.count() == documents
    assert back.generation == before.generation + 2


def test_environments_count_for_themselves(made: World) -> None:
    staging = publish(made.cast.staging)
    publish(made.cast.production)
    new_key(made.cast)
    publish(made.cast.production)
    assert publish(made.cast.staging) == staging


def test_a_rollout_is_published_with_its_weight_and_both_releases(made: World) -> None:
    rollout = made.roll_out()
    root = publish(made.cast.production)
    found = parse_feature(document(said(root)["documents"][made.feature.slug]))
    assert (found.routing.candidate_bp, found.routing.salt) == (200, rollout.salt)
    stable = made.production.stable_release
    assert stable is not None
    assert [release.digest for release in found.releases] == [stable.digest, rollout.candidate.digest]


def test_a_snapshot_carries_no_secret(made: World) -> None:
    endpoint = Endpoint.objects.get()
    with_secret(made.cast, endpoint, "sk-very-secret")
    _, secret = keys.create_service_key(
        actor=made.cast.actor("owner"), environment=made.cast.production, name="x", scopes=["serve"]
    )
    publish(made.cast.production)
    stored = b"".join(bytes(body) for body in Document.objects.values_list("body", flat=True))
    assert b"sk-very-secret" not in stored
    assert secret.encode() not in stored


# --- signatures and order --------------------------------------------------------------------------------


def test_a_node_accepts_the_root_and_only_as_it_was_signed(made: World) -> None:
    root = publish(made.cast.production)
    assert verify_root(signed(root), trusted=trusted(), current=None).generation == root.generation
    forged = SignedRoot(
        str(root.environment_id),
        bytes(root.body).replace(b'"generation":', b'"generation":9'),
        bytes(root.signature),
        root.key_id,
    )
    with pytest.raises(RefusedError) as refused:
        verify_root(forged, trusted=trusted(), current=None)
    assert refused.value.reason is RefusalReason.BAD_SIGNATURE
    with pytest.raises(RefusedError) as refused:
        verify_root(signed(root), trusted={}, current=None)
    assert refused.value.reason is RefusalReason.UNKNOWN_KEY


def test_a_whole_snapshot_loads_into_a_node(made: World) -> None:
    key = new_key(made.cast)
    root = publish(made.cast.production)
    bodies = {row.pk: bytes(row.body) for row in Document.objects.all()}
    state = Loader().load(ServingState(), [signed(root)], documents=bodies, trusted=trusted())
    environment = state.environments[str(made.cast.production.id)]
    assert (environment.project, environment.name, environment.refused) == ("acme", "production", None)
    assert state.principals[bytes.fromhex(key.digest)].key.name == "checkout"


def test_a_document_that_was_tampered_with_is_refused(made: World) -> None:
    digest = said(publish(made.cast.production))["node"]
    check_document(digest, document(digest))
    with pytest.raises(RefusedError):
        check_document(digest, document(digest) + b" ")


def test_the_signing_key_is_rotated_with_overlap(made: World, clock: ManualClock) -> None:
    old = publish(made.cast.production)
    SigningKey.objects.filter(purpose="snapshot").update(retired_at=clock.now())
    new_key(made.cast)
    new = publish(made.cast.production)
    assert new.key_id != old.key_id
    current = verify_root(signed(old), trusted=trusted(), current=None)
    assert verify_root(signed(new), trusted=trusted(), current=current).generation == old.generation + 1


def test_after_a_restore_a_new_epoch_outranks_every_generation_seen(made: World) -> None:
    seen = verify_root(signed(publish(made.cast.production)), trusted=trusted(), current=None)
    root = publisher.start_epoch(made.cast.production.pk)
    assert root.epoch > seen.epoch
    assert verify_root(signed(root), trusted=trusted(), current=seen).order > seen.order
    again = publisher.start_epoch(made.cast.production.pk)
    assert (again.epoch, again.generation) > (root.epoch, root.generation)
    new_key(made.cast)
    assert publish(made.cast.production).epoch == again.epoch, "what follows stays in the epoch"


@pytest.fixture
def committed(transactional_db: None, provider: ScriptedServer, clock: ManualClock) -> World:
    """Like `made`, but seen by threads and published by the services themselves."""
    return make_world(make_cast("acme"), provider)


def generations(environment: Environment) -> list[int]:
    return list(
        Root.objects.filter(environment=environment).order_by("id").values_list("generation", flat=True)
    )


def test_generations_follow_each_other_under_concurrent_changes(committed: World) -> None:
    cast = committed.cast

    def change(number: int) -> Callable[[], ApiKey]:
        return lambda: new_key(cast, f"service {number}")

    made = at_once(*[change(number) for number in range(8)])
    found = generations(cast.production)
    assert found == list(range(1, len(found) + 1))
    newest = Root.objects.filter(environment=cast.production).latest("generation")
    assert served_keys(newest) == {key.digest for key in made}, "the last root has seen every change"


def test_publishing_the_same_change_from_many_sides_makes_one_root(committed: World) -> None:
    cast = committed.cast
    before = generations(cast.production)
    with transaction.atomic():
        key = new_key(cast)
        transaction.get_connection().run_on_commit.clear()  # nobody publishes yet
    roots = at_once(*[lambda: publish(cast.production)] * 6)
    assert {root.generation for root in roots} == {before[-1] + 1}
    assert generations(cast.production) == [*before, before[-1] + 1]
    assert key.digest in served_keys(roots[0])


def test_a_commit_is_published_at_once_and_nodes_are_woken(committed: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("LISTEN promptstore_snapshot")
    assert connection.connection is not None
    key = new_key(committed.cast)
    newest = Root.objects.filter(environment=committed.cast.production).latest("generation")
    assert key.digest in served_keys(newest)
    woken = [notice.payload for notice in connection.connection.notifies(timeout=5, stop_after=1)]
    assert woken == [str(committed.cast.production.id)]


# --- keys ------------------------------------------------------------------------------------------------


def test_a_revoked_key_vanishes_from_the_node_document(committed: World) -> None:
    cast = committed.cast
    stays, goes = new_key(cast, "stays"), new_key(cast, "goes")
    keys.revoke_key(actor=cast.actor("owner"), key_id=goes.id, project_id=cast.project.id)
    newest = Root.objects.filter(environment=cast.production).latest("generation")
    assert served_keys(newest) == {stays.digest}


def test_an_expiring_key_carries_its_end_so_that_a_cut_off_node_knows(
    made: World, clock: ManualClock
) -> None:
    until = clocks.now() + timedelta(hours=1)
    key = new_key(made.cast, expires_at=until)
    found = parse_node(document(said(publish(made.cast.production))["node"]))
    assert found.keys[bytes.fromhex(key.digest)].expires_at == until
    clock.advance(hours=2)
    assert served_keys(publish(made.cast.production)) == set()


def test_keys_of_other_environments_and_personal_tokens_are_not_served(made: World) -> None:
    owner = made.cast.actor("owner")
    keys.create_service_key(actor=owner, environment=made.cast.staging, name="x", scopes=["serve"])
    keys.create_personal_token(actor=owner, project_id=made.cast.project.id, name="x")
    assert served_keys(publish(made.cast.production)) == set()


# --- credentials, sealed to each node --------------------------------------------------------------------


def with_secret(cast: Cast, endpoint: Endpoint, secret: str) -> Endpoint:
    endpoint.refresh_from_db()
    endpoints.update_endpoint(
        actor=cast.actor("engineer"), endpoint_id=endpoint.id, revision=endpoint.revision, api_key=secret
    )
    endpoint.refresh_from_db()
    return endpoint


def register(name: str, identity: NodeIdentity) -> Node:
    """What `serving.feed` does at a node's start."""
    node, _ = Node.objects.update_or_create(
        name=name, defaults={"public_key": identity.public_key, "seen_at": clocks.now()}
    )
    return node


def sealed_for(node: Node) -> Mapping[str, bytes]:
    rows = NodeCredential.objects.filter(node=node).values_list("endpoint_id", "sealed")
    return {str(endpoint): bytes(sealed) for endpoint, sealed in rows}


@pytest.fixture
def endpoint(made: World) -> Endpoint:
    return with_secret(made.cast, Endpoint.objects.get(), "sk-first")


def test_a_credential_reaches_each_node_and_nobody_else(endpoint: Endpoint, tmp_path: Path) -> None:
    here, there = load_identity(tmp_path / "here"), load_identity(tmp_path / "there")
    nodes = [register("here", here), register("there", there)]
    assert seal_credentials() == 2
    boxes = [sealed_for(node)[str(endpoint.id)] for node in nodes]
    assert [here.unseal(boxes[0]), there.unseal(boxes[1])] == ["sk-first", "sk-first"]
    assert here.unseal(boxes[1]) is None
    assert NodeIdentity(PrivateKey.generate()).unseal(boxes[0]) is None
    assert b"sk-first" not in boxes[0] + boxes[1]


def test_sealing_again_writes_nothing(endpoint: Endpoint, tmp_path: Path) -> None:
    node = register("here", load_identity(tmp_path))
    seal_credentials()
    before = sealed_for(node)
    assert seal_credentials() == 0
    assert sealed_for(node) == before


def test_a_new_secret_is_sealed_anew(made: World, endpoint: Endpoint, tmp_path: Path) -> None:
    identity = load_identity(tmp_path)
    node = register("here", identity)
    seal_credentials()
    with_secret(made.cast, endpoint, "sk-second")
    assert seal_credentials() == 1
    assert identity.unseal(sealed_for(node)[str(endpoint.id)]) == "sk-second"


def test_a_node_that_lost_its_disk_gets_the_credentials_for_its_new_key(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    node = register("here", load_identity(tmp_path / "old"))
    seal_credentials()
    anew = load_identity(tmp_path / "new")
    register("here", anew)
    seal_credentials()
    assert anew.unseal(sealed_for(node)[str(endpoint.id)]) == "sk-first"


def test_a_node_keeps_its_key_over_restarts(tmp_path: Path) -> None:
    first, again = load_identity(tmp_path), load_identity(tmp_path)
    assert first.public_key == again.public_key
    assert (tmp_path / "node.key").stat().st_mode & 0o777 == 0o600


def test_without_the_master_key_nothing_is_sealed_wrongly(
    endpoint: Endpoint, tmp_path: Path, settings: Any
) -> None:
    register("here", load_identity(tmp_path))
    with override_settings(PROMPTSTORE_MASTER_KEY="A" * 43 + "="), pytest.raises(crypto.CryptoUnavailable):
        seal_credentials()
    assert not NodeCredential.objects.exists()


def test_an_environment_without_a_deployment_serves_its_keys_alone(cast: Cast, clock: ManualClock) -> None:
    key = new_key(cast)
    root = publish(cast.production)
    assert said(root)["documents"] == {}
    assert served_keys(root) == {key.digest}


def test_an_environment_that_is_not_there_is_an_error(cast: Cast) -> None:
    with pytest.raises(Environment.DoesNotExist):
        publisher.publish(uuid7())


def test_telemetry_is_stored_while_a_snapshot_is_written(committed: World) -> None:
    rollout = committed.roll_out()

    def store() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        record(rollout, "candidate", 1)

    with transaction.atomic():
        publisher._lock(committed.cast.production.pk)
        at_once(store)
    assert Inference.objects.count() == 1
