from __future__ import annotations

import pytest

from promptstore.cli.bundles.findings import Result
from promptstore.cli.bundles.reading import parse, parse_lines, read_members
from promptstore.cli.bundles.verifying import Verification, verify
from promptstore.core import audit
from promptstore.core.models import AuditCheckpoint
from registry.services import features
from releases import services
from releases.bundle import contents, trail
from releases.bundle.rollouts import rollouts_of
from releases.models import Release, Rollout
from tests.cast import Cast
from tests.releases.bundles import bundle_of, failing, told
from tests.threads import at_once
from tests.world import World


def claims(found: Verification, result: Result) -> list[str]:
    return [one.claim for one in found.findings if one.result is result]


def elsewhere(strangers: Cast, name: str) -> None:
    """Something happens in another project, and is sealed."""
    features.create_feature(
        actor=strangers.actor("owner"), project_id=strangers.project.id, slug=name, name="Their secret"
    )
    audit.seal_pending()


def test_of_other_projects_there_are_digests_alone(world: World, strangers: Cast) -> None:
    elsewhere(strangers, "before")
    rollout = world.roll_out()
    audit.seal_pending()
    elsewhere(strangers, "between")
    services.roll_back(
        actor=world.cast.actor("operator"), project_id=world.cast.project.id, rollout_id=rollout.id,
        reason="Enough.", at_once=True,
    )  # fmt: skip
    data = bundle_of(world, rollout).data
    assert verify(data).ok
    [segment] = parse(read_members(data)["audit/chain.json"])["segments"]
    assert len(segment["digests"]) > len(parse_lines(read_members(data)["audit/events.jsonl"]))
    assert b"Their secret" not in data
    assert strangers.project.slug.encode() not in data


def test_a_long_log_is_proven_in_slices_up_to_signed_checkpoints(
    world: World, strangers: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "MAX_UNBROKEN", 2)
    audit.seal_pending()
    for number in range(3):
        elsewhere(strangers, f"feature-{number}")
    rollout = told(world)
    data = bundle_of(world, rollout).data
    segments = parse(read_members(data)["audit/chain.json"])["segments"]
    assert len(segments) > 1
    assert verify(data).ok
    points = [segment["checkpoint"]["sequence"] for segment in segments]
    assert AuditCheckpoint.objects.filter(sequence__in=points).count() == len(points)


def test_events_that_are_not_sealed_yet_stay_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    audit.seal_pending()
    rollout = told(world)
    monkeypatch.setattr(audit, "seal_pending", lambda: 0)
    found = verify(bundle_of(world, rollout).data)
    assert found.ok
    assert claims(found, Result.OPEN) == ["chain", "signer"]


def test_of_very_many_events_the_latest_are_kept_and_the_bundle_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "MAX_EVENTS", 4)
    monkeypatch.setattr(contents, "MAX_EVENTS", 4)
    data = bundle_of(world, told(world)).data
    found = verify(data)
    assert len(parse_lines(read_members(data)["audit/events.jsonl"])) == 4
    assert found.about["left_out"] == ["audit events, because only the latest 4 are kept here"]
    assert not failing(found)
    assert "recorded" in claims(found, Result.OPEN)


@pytest.mark.django_db(transaction=True)
def test_what_happens_while_it_is_read_is_not_half_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = world.roll_out()
    operator, project_id = world.cast.actor("operator"), world.cast.project.id

    def meanwhile(release: Release) -> list[Rollout]:
        at_once(
            lambda: services.pause_rollout(
                actor=operator, project_id=project_id, rollout_id=rollout.id, reason="Wait."
            )
        )
        return rollouts_of(release)

    monkeypatch.setattr(contents, "rollouts_of", meanwhile)
    data = bundle_of(world, rollout).data
    assert rollout.decisions.count() == 3
    assert len(parse(read_members(data)[f"rollouts/{rollout.id}.json"])["decisions"]) == 2
    assert verify(data).ok
