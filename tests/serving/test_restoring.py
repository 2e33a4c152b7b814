"""What happens once to a database that came back from a backup."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import override_settings

from incidents.models import Delivery
from incidents.services import channels
from promptstore.core import audit, clock, crypto, keys
from promptstore.core.clock import ManualClock
from promptstore.core.models import ApiKey, AuditEvent, AuditPending, IdempotentReply
from providers.scripted import ScriptedServer
from releases import services as releases
from releases.models import Promotion, Rollout
from serving.models import Root
from serving.publisher import publish
from serving.restoring import Former, Origin, Resumed, resume_after_restore
from tests.cast import Cast
from tests.world import World, make_world

ORIGIN = Origin(
    backup_id="b1",
    made_at="2026-03-01T00:00:00+00:00",
    product="0.1.0",
    sequence=3,
    head="sha256:" + "3" * 64,
)


@pytest.fixture
def made(cast: Cast, provider: ScriptedServer, clock: ManualClock) -> World:
    return make_world(cast, provider)


def resume(former: Former | None = None) -> Resumed:
    return resume_after_restore(origin=ORIGIN, former=former)


def test_a_running_rollout_is_paused_and_one_on_its_way_down_goes_on(made: World) -> None:
    rollout = made.roll_out()
    resumed = resume()
    rollout.refresh_from_db()
    assert (rollout.state, rollout.weight_bp, resumed.rollouts_paused) == ("paused", 200, 1)
    assert rollout.decisions.latest("number").sentences == [
        "Restored from the backup of 2026-03-01T00:00:00+00:00."
    ]
    Rollout.objects.filter(pk=rollout.pk).update(state="rolling_back", weight_bp=100)
    assert resume().rollouts_paused == 0
    rollout.refresh_from_db()
    assert rollout.state == "rolling_back"


def test_what_was_approved_waits_for_new_votes_and_does_not_start(made: World) -> None:
    promotion = made.check(made.request())
    made.approve(promotion)
    assert resume().approvals_dismissed == 1
    releases.start_promotion(promotion_id=promotion.id)
    promotion.refresh_from_db()
    assert promotion.state == "awaiting_approval"
    assert not Rollout.objects.exists()


def test_a_check_that_would_start_a_release_without_a_vote_is_called_off(made: World) -> None:
    release = made.compose()
    fields: dict[str, Any] = {"project_id": made.cast.project.id, "release_id": release.id}
    engineer = made.cast.actor("engineer")
    voteless = releases.request_promotion(actor=engineer, environment_id=made.cast.staging.id, **fields)
    voted = releases.request_promotion(actor=engineer, environment_id=made.cast.production.id, **fields)
    assert resume().checks_cancelled == 1
    for promotion in (voteless, voted):
        made.check(promotion)
    assert [Promotion.objects.get(pk=one.pk).state for one in (voteless, voted)] == [
        "cancelled",
        "awaiting_approval",
    ]


def test_messages_that_were_owed_are_given_up_and_can_be_replayed(made: World) -> None:
    fields: dict[str, Any] = {"actor": made.cast.actor("owner"), "project_id": made.cast.project.id}
    channel, _ = channels.create_channel(
        **fields, name="ops", kind="webhook", url="http://127.0.0.1:9/", allow_private=True
    )
    channels.send_test(**fields, channel_id=channel.id)
    assert resume().messages_given_up == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.claimed_until) == ("failed", None)
    assert "It may have been sent already." in delivery.last_detail


def test_every_environment_starts_an_epoch_above_all_it_had(made: World) -> None:
    before = {
        root.environment_id: root.epoch
        for root in map(publish, [made.cast.staging.pk, made.cast.production.pk])
    }
    resumed = resume()
    for environment, epoch in before.items():
        newest = Root.objects.filter(environment=environment).latest("id")
        assert newest.epoch > epoch
        assert resumed.epochs[f"acme/{newest.environment_slug}"] == (newest.epoch, newest.generation)
    again = resume()
    assert all(again.epochs[name] > resumed.epochs[name] for name in resumed.epochs)


def test_what_waited_for_the_sealer_is_sealed_before_the_restore_is_recorded_in_each_project(
    made: World, strangers: Cast
) -> None:
    waiting = AuditPending.objects.count()
    assert waiting
    resumed = resume(Former(sequence=50, head="sha256:" + "5" * 64))
    assert (resumed.log_is_whole, resumed.faults) == (True, [])
    assert not AuditPending.objects.exists()
    events = AuditEvent.objects.filter(action="system.restored").order_by("id")
    assert {event.project_id for event in events} == {made.cast.project.id, strangers.project.id}
    assert events[0].seal.sequence == waiting + 1
    assert events[0].after is not None
    assert events[0].after["former"] == {"sequence": 50, "head": "sha256:" + "5" * 64}
    assert "had reached sequence 50" in events[0].reason
    assert audit.verify(expect_sequence=resumed.sequence, expect_head=resumed.head).ok
    assert [(one.id, one.backup_sequence) for one in audit.restores()] == [(resumed.restore_id, 3)]


def test_a_checkpoint_is_explained_only_by_a_restore_that_could_have_cut_it_off(made: World) -> None:
    resume()
    lost = audit.verify(expect_sequence=5, expect_head="sha256:" + "9" * 64)
    assert "restored at" in lost.faults[0]
    assert "up to 2 events" in lost.faults[0]
    changed = audit.verify(expect_sequence=3, expect_head="sha256:" + "9" * 64)
    assert changed.faults == ["sequence 3: the log does not contain the checkpoint you kept"]


def test_keys_that_were_revoked_after_the_backup_do_not_come_alive_again(cast: Cast) -> None:
    made = [
        keys.create_service_key(
            actor=cast.actor("owner"), environment=cast.production, name=name, scopes=["serve"]
        )[0]
        for name in ("gone", "stays")
    ]
    resumed = resume(Former(sequence=9, head="", revoked_keys=[str(made[0].pk)]))
    assert resumed.keys_revoked_again == 1
    assert [key.revoked_at is not None for key in ApiKey.objects.order_by("id")] == [True, False]
    assert [key.split(" (")[0] for key in resumed.keys_to_check] == ["acme: stays"]


def test_sessions_end_and_unanswered_writes_may_be_tried_again(cast: Cast) -> None:
    Session.objects.create(session_key="one", session_data="", expire_date=clock.now() + timedelta(days=1))
    for number, status in enumerate((None, 201)):
        IdempotentReply.objects.create(caller="u", key=str(number), request_digest="", status=status)
    assert resume().sessions_ended == 1
    assert not Session.objects.exists()
    assert list(IdempotentReply.objects.values_list("status", flat=True)) == [201]


def test_under_another_master_key_nothing_changes(made: World) -> None:
    audit.seal_pending()
    publish(made.cast.production.pk)
    events = AuditEvent.objects.count()
    with override_settings(PROMPTSTORE_MASTER_KEY="A" * 43 + "="), pytest.raises(crypto.CryptoUnavailable):
        resume()
    assert AuditEvent.objects.count() == events
