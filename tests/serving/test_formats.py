"""Nodes and snapshots of different versions: what is newer than the node is never half applied and never holds up the rest."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from nacl.signing import SigningKey
from structlog.testing import capture_logs

from promptstore.core import clock
from promptstore.core.digests import canonical_json, digest_bytes
from serving import disk, verify
from serving.loading import Loader
from serving.state import EnvironmentState, ServingState
from serving.verify import FORMAT, RefusalReason, RefusedError, SignedRoot, check_format
from tests.serving.conftest import RunningNode
from tests.serving.world import Document, World, feature, key_entry, release

SIGNING_KEY = SigningKey.generate()
TRUSTED = {"snapshot-test": bytes(SIGNING_KEY.verify_key)}
ASSISTANT, SUMMARY = "config-assistant", "ticket-summary"


def published(
    number: int, *features: Document, root_format: Any = FORMAT, **root: Any
) -> tuple[SignedRoot, dict[str, bytes]]:
    """A signed root, and the documents that it names."""
    bodies = {entry["feature"]: canonical_json(entry) for entry in features}
    node = canonical_json({"format": FORMAT, "keys": key_entry(), "endpoints": {}, "later": "field"})
    body = canonical_json(
        {
            "format": root_format, "project": "acme", "environment": "production", "epoch": 1, "generation": number,
            "written_at": "2026-03-02T09:00:00+00:00", "node": digest_bytes(node),
            "documents": {name: digest_bytes(text) for name, text in bodies.items()}, **root,
        }
    )  # fmt: skip
    signed = SignedRoot("environment-1", body, SIGNING_KEY.sign(body).signature, "snapshot-test")
    return signed, {digest_bytes(text): text for text in (*bodies.values(), node)}


class Follower:
    """A node's loader, and what it serves."""

    def __init__(self) -> None:
        self.loader = Loader()
        self.state = ServingState()

    def take(self, root: SignedRoot, documents: Mapping[str, bytes]) -> EnvironmentState:
        self.state = self.loader.load(self.state, [root], documents=documents, trusted=TRUSTED)
        return self.state.environments["environment-1"]


def version(environment: EnvironmentState, name: str) -> str:
    stable = environment.features[name].document.stable
    assert stable is not None
    return stable.version


def with_mode(mode: str) -> Document:
    return feature(ASSISTANT, stable=release("2.0.0", config={"policy": {"mode": mode, "banned": []}}))


TOO_NEW = {
    "a document format": feature(ASSISTANT, stable=release("2.0.0")) | {"format": FORMAT + 1},
    "a way to withdraw": feature(
        ASSISTANT, stable=release("2.0.0"), candidate=release("2.1.0"), on_withdraw="ask_a_person"
    ),
    "a way to filter": with_mode("in-the-model"),
}


@pytest.mark.parametrize("what", TOO_NEW)
def test_a_feature_that_is_too_new_keeps_its_last_good_document_and_the_others_move_on(what: str) -> None:
    node = Follower()
    node.take(
        *published(1, feature(ASSISTANT, stable=release("1.0.0")), feature(SUMMARY, stable=release("1.0.0")))
    )
    for number in (2, 3):
        root, documents = published(number, TOO_NEW[what], feature(SUMMARY, stable=release(f"1.{number}.0")))
        environment = node.take(root, documents)
    assert environment.generation == 3
    assert environment.refused is None
    assert version(environment, ASSISTANT) == "1.0.0"
    assert version(environment, SUMMARY) == "1.3.0"
    assert environment.unread.keys() == {ASSISTANT}
    assert [root.generation for root in environment.roots] == [1, 3]

    # A version that can be read ends it, and what was kept is let go.
    environment = node.take(*published(4, feature(ASSISTANT, stable=release("3.0.0"))))
    assert version(environment, ASSISTANT) == "3.0.0"
    assert not environment.unread
    assert node.loader.bodies.keys() == environment.root.digests


@pytest.mark.parametrize("what", TOO_NEW)
def test_what_was_kept_is_still_there_after_a_restart_from_disk(what: str, tmp_path: Path) -> None:
    node = Follower()
    node.take(*published(1, feature(ASSISTANT, stable=release("1.0.0"))))
    before = node.take(*published(2, TOO_NEW[what], feature(SUMMARY, stable=release("1.0.0"))))
    disk.save(tmp_path / "state", node.state, node.loader.bodies, as_of=clock.now())

    saved, again = disk.load(tmp_path / "state"), Loader()
    state = again.load(ServingState(), saved.roots, documents=saved.documents, trusted=saved.trusted)
    after = state.environments["environment-1"]
    assert after.generation == before.generation == 2
    assert version(after, ASSISTANT) == "1.0.0"
    assert version(after, SUMMARY) == "1.0.0"
    assert after.unread.keys() == {ASSISTANT}


@pytest.mark.parametrize("root_format", [FORMAT + 1, 0, True, "1", None])
def test_a_root_of_another_format_is_refused_whole_and_said_once(root_format: Any) -> None:
    node = Follower()
    node.take(*published(1, feature(ASSISTANT, stable=release("1.0.0"))))
    newer = published(2, feature(ASSISTANT, stable=release("2.0.0")), root_format=root_format)
    with capture_logs() as logs:
        for _ in range(3):
            environment = node.take(*newer)
    assert environment.generation == 1
    assert version(environment, ASSISTANT) == "1.0.0"
    assert environment.refused is not None
    assert environment.refused.reason is RefusalReason.UNKNOWN_FORMAT
    assert environment.refused_since is not None
    assert node.loader.refusals[RefusalReason.UNKNOWN_FORMAT] == 3
    assert [entry["event"] for entry in logs] == ["root.refused"]


def test_fields_that_are_not_known_are_ignored() -> None:
    document = feature(ASSISTANT, stable=release("1.0.0"), candidate=release("1.1.0"))
    document["rollout"]["mood"] = "brave"
    document["later"] = {"anything": []}
    environment = Follower().take(*published(1, document, later=[1, 2]))
    assert version(environment, ASSISTANT) == "1.0.0"


def test_fallbacks_that_are_not_known_are_left_out() -> None:
    config = {"breaker": {"fallbacks": ["oracle", "template"]}}
    environment = Follower().take(*published(1, feature(ASSISTANT, stable=release("1.0.0", config=config))))
    assert not environment.unread


def test_the_format_before_stays_readable_when_the_format_goes_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(1, FORMAT - 1) >= verify.OLDEST_FORMAT
    assert max(1, disk.FORMAT - 1) >= disk.OLDEST_FORMAT
    today = published(1, feature(ASSISTANT, stable=release("1.0.0")))
    monkeypatch.setattr(verify, "FORMAT", FORMAT + 1)
    assert version(Follower().take(*today), ASSISTANT) == "1.0.0"
    with pytest.raises(RefusedError, match=f"this version reads {verify.OLDEST_FORMAT} to {FORMAT + 1}"):
        check_format(FORMAT + 2, of="root")


def test_what_a_later_version_saved_is_neither_read_nor_overwritten(tmp_path: Path) -> None:
    node, place = Follower(), tmp_path / "state"
    node.take(*published(1, feature(ASSISTANT, stable=release("1.0.0"))))
    disk.save(place, node.state, node.loader.bodies, as_of=clock.now())
    manifest = orjson.loads((place / "manifest.json").read_bytes()) | {"format": disk.FORMAT + 1}
    (place / "manifest.json").write_bytes(orjson.dumps(manifest))
    kept = {path.name: path.read_bytes() for path in place.rglob("*") if path.is_file()}

    assert disk.load(place) == disk.SavedState()
    disk.save(place, node.state, node.loader.bodies, as_of=clock.now())
    aside = tmp_path / f"state.format-{disk.FORMAT + 1}"
    assert {path.name: path.read_bytes() for path in aside.rglob("*") if path.is_file()} == kept
    (root,) = disk.load(place).roots
    assert root.body == b64decode(manifest["roots"][0]["body"])


def test_what_an_earlier_version_saved_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Follower()
    node.take(*published(1, feature(ASSISTANT, stable=release("1.0.0"))))
    disk.save(tmp_path, node.state, node.loader.bodies, as_of=clock.now())
    monkeypatch.setattr(disk, "FORMAT", disk.FORMAT + 1)
    assert len(disk.load(tmp_path).roots) == 1


async def test_a_node_says_which_features_it_is_too_old_for(world: World, node: RunningNode) -> None:
    await node.until_generation(
        world.publish(TOO_NEW["a way to filter"], feature(SUMMARY, stable=release("1.0.0")))
    )
    status, _, body = await node.get(f"/v1/features/{SUMMARY}/resolve?unit=u1")
    assert (status, body["release"]["version"]) == (200, "1.0.0")
    status, _, body = await node.get(f"/v1/features/{ASSISTANT}/resolve?unit=u1")
    assert (status, body["code"]) == (503, "unreadable_feature")
    assert "in-the-model" in body["detail"]
    status, _, ready = await node.get("/readyz")
    assert (status, ready["environments"][0]["unread"]) == (200, {ASSISTANT: "unknown_value"})
    _, _, metrics = await node.get("/metrics")
    assert b'promptstore_serving_unread_features{environment="production",project="acme"} 1.0' in metrics
    # Clients get the document as it is: they may be newer than the node.
    _, _, snapshot = await node.get("/v1/snapshot")
    assert {digest_bytes(text.encode()) for text in snapshot["documents"].values()} == snapshot[
        "documents"
    ].keys()
    assert any("in-the-model" in text for text in snapshot["documents"].values())
