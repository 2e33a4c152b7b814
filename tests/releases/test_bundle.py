from __future__ import annotations

import base64
import io
import json
import tarfile
from typing import Any

import pytest

from promptstore.cli.bundles.findings import Result
from promptstore.cli.bundles.reading import parse, parse_lines, read_members
from promptstore.cli.bundles.verifying import CHECKS, verify
from promptstore.core.errors import NotAllowed, NotFound
from promptstore.core.models import AuditEvent, SigningKey, User
from releases import services
from releases.models import Release
from releases.services import bundles
from tests.cast import Cast
from tests.releases.bundles import bundle_of, failing, told
from tests.releases.clients import api_as, page_as
from tests.world import GATES_RUN, PLAN, World


def test_everything_in_a_bundle_holds_and_the_named_key_signed_it(world: World) -> None:
    bundle = bundle_of(world, told(world))
    key = SigningKey.objects.get(purpose="bundle")
    found = verify(bundle.data, public_key=bytes(key.public_key))
    assert not [text for one in found.findings for text in (*one.faults, *one.doubts)]
    assert {one.claim: one.result for one in found.findings}.keys() >= {claim for claim, *_ in CHECKS}
    assert all(one.checked for one in found.findings)
    assert b'"withheld":' not in bundle.data, "name@1.0.0 is no address"
    assert (found.key_id, found.about["root"]) == (key.key_id, bundle.root)


def test_without_a_key_it_is_said_that_the_signer_is_unknown(world: World) -> None:
    found = verify(bundle_of(world, told(world)).data)
    assert found.ok
    assert [one.claim for one in found.findings if one.result is Result.OPEN] == ["signer"]


def test_it_holds_what_decided_about_the_release(world: World) -> None:
    rollout = told(world)
    members = read_members(bundle_of(world, rollout).data)
    promotion = parse(members[f"promotions/{rollout.promotion_id}.json"])
    assert [vote["by"]["name"] for vote in promotion["votes"]] == ["approver@acme"]
    assert promotion["policies"][-1]["body"]["quorum"] == 1
    assert {row["gate"] for row in promotion["rounds"][-1]["document"]["reports"]} == set(GATES_RUN)
    assert [one["to"] for one in promotion["states"] if one["to"]][-2:] == ["rolling_out", "rolled_back"]
    moved = parse(members[f"rollouts/{rollout.id}.json"])
    assert [one["kind"] for one in moved["decisions"]] == ["start", "advance", "pause", "resume", "cut"]
    assert [one["weight_bp"] for one in moved["routing"]] == [0, 200, 0]
    prompt = next(name for name in members if name.startswith("artifacts/prompts/"))
    assert [one["version"] for one in parse(members[prompt])["history"]] == ["1.0.0", "1.0.1"]
    assert len(parse_lines(members["samples.jsonl"])) == 6
    actions = {
        line["event"]["action"] for line in parse_lines(members["audit/events.jsonl"]) if "event" in line
    }
    assert actions >= {
        "release.composed",
        "prompt.published",
        "promotion.vote_cast",
        "rollout.cut",
        "incident.opened",
    }


def test_a_release_that_was_never_asked_for_has_a_bundle_too(world: World) -> None:
    release = world.compose()
    bundle = services.make_bundle(
        actor=world.cast.actor("owner"), project_id=world.cast.project.id, release_id=release.id
    )
    assert verify(bundle.data).ok
    assert bundle.name == "assistant-1.1.0.bundle"


def test_any_tar_program_can_open_it(world: World) -> None:
    bundle = bundle_of(world, told(world))
    with tarfile.open(fileobj=io.BytesIO(bundle.data)) as tar:
        names = tar.getnames()
        index = tar.extractfile("bundle.json")
        assert index is not None
        listed = [one["name"] for one in json.load(index)["members"]]
    assert names == ["bundle.json", "signature.json", *listed]


def test_no_address_and_no_secret_leaves_the_house(world: World) -> None:
    approver = world.cast.users["approver"]
    User.objects.filter(pk=approver.pk).update(email="approver@example.com")
    rollout = told(world, why="Ask ops@example.com first.")
    User.objects.filter(pk=approver.pk).update(first_name="approver@example.com")
    data = bundle_of(world, rollout).data
    assert b"@example.com" not in data
    withheld = [line for line in parse_lines(read_members(data)["audit/events.jsonl"]) if "withheld" in line]
    assert withheld, "the pause named an address"
    found = verify(data)
    assert found.ok, failing(found)
    assert rollout.salt.encode() not in data
    for key in SigningKey.objects.all():
        assert base64.b64encode(bytes(key.sealed_private_key)) not in data


def test_what_the_actor_may_not_read_is_left_out_and_said_so(world: World, monkeypatch: Any) -> None:
    rollout = told(world)
    monkeypatch.setattr("releases.bundle.contents.allows", lambda *_, **__: False)
    data = bundle_of(world, rollout).data
    members = read_members(data)
    assert "samples.jsonl" not in members
    assert b'"output":"secret"' not in data
    found = verify(data)
    assert found.ok
    assert "samples" in found.about["left_out"][0]


def test_content_that_was_altered_in_the_database_shows(world: World) -> None:
    rollout = told(world)
    hurried = {"steps": [*PLAN["steps"][:-1], PLAN["steps"][-1] | {"min_samples": 1}]}
    type(rollout.promotion).objects.filter(pk=rollout.promotion_id).update(plan=hurried)
    assert {"policies", "plan"} <= failing(verify(bundle_of(world, rollout).data))


def test_a_weight_that_nobody_decided_shows(world: World) -> None:
    rollout = told(world)
    rollout.refresh_from_db()
    rollout.weight_bp = 150
    rollout.save()
    assert {"decisions", "weights"} <= failing(verify(bundle_of(world, rollout).data))


def test_taking_it_is_recorded_with_its_root_digest(world: World) -> None:
    bundle = bundle_of(world, told(world))
    event = AuditEvent.objects.get(action="release.bundled")
    assert event.after == {"root": bundle.root, "key": bundle.key_id, "bytes": len(bundle.data)}


@pytest.mark.parametrize("role", ["writer", "engineer", "annotator"])
def test_whoever_may_not_read_the_audit_log_gets_none(world: World, role: str) -> None:
    release = Release.objects.get()
    with pytest.raises(NotAllowed):
        services.make_bundle(
            actor=world.cast.actor(role), project_id=world.cast.project.id, release_id=release.id
        )
    assert not AuditEvent.objects.filter(action="release.bundled").exists()
    assert "Audit bundle" not in page_as(world.cast, role).get(f"/releases/{release.pk}/").content.decode()
    assert page_as(world.cast, role).get(f"/releases/{release.pk}/bundle/").status_code == 403


def test_another_projects_release_is_not_found(world: World, strangers: Cast) -> None:
    with pytest.raises(NotFound):
        services.make_bundle(
            actor=strangers.actor("owner"),
            project_id=strangers.project.id,
            release_id=Release.objects.get().id,
        )


def test_a_bundle_that_nobody_could_check_is_not_made(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(bundles, "MAX_BYTES", 1_000)
    with pytest.raises(bundles.BundleTooLarge):
        bundle_of(world, told(world))
    assert not AuditEvent.objects.filter(action="release.bundled").exists()


@pytest.mark.parametrize("accept", ["*/*", "application/x-tar"])
def test_the_api_sends_it_as_a_file(world: World, accept: str) -> None:
    url = "/api/v1/projects/acme/releases/1.0.0/bundle/"
    answer = api_as(world.cast, "auditor").get(url, {"feature": "assistant"}, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="assistant-1.0.0.bundle"'
    assert verify(b"".join(answer.streaming_content)).ok  # type: ignore[attr-defined]
    assert api_as(world.cast, "writer").get(url).json()["code"] == "not_allowed"


def test_the_page_of_a_release_offers_it_with_the_command_that_checks_it(world: World) -> None:
    release = Release.objects.get()
    client = page_as(world.cast, "auditor")
    page = client.get(f"/releases/{release.pk}/").content.decode()
    assert "promptctl releases verify-bundle assistant-1.0.0.bundle" in page
    answer = client.get(f"/releases/{release.pk}/bundle/")
    assert verify(b"".join(answer.streaming_content)).ok  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_it_is_read_in_one_moment_of_the_database(world: World) -> None:
    assert verify(bundle_of(world, told(world)).data).ok
