from __future__ import annotations

from typing import Any

import pytest

from incidents.models import NotificationChannel
from incidents.services.channels import create_channel, rotate_secret, send_test, update_channel
from promptstore.core import crypto
from promptstore.core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, StaleWrite
from promptstore.core.models import AuditEvent
from tests.cast import Cast
from tests.incidents.channel_cast import ROUTING_KEY, SECRET, channel
from tests.incidents.receivers import Receiver

URL = "https://hooks.example.com/T0/B0/token"


def create(cast: Cast, role: str = "owner", **changes: Any) -> tuple[NotificationChannel, str]:
    fields: dict[str, Any] = {"name": "ops", "kind": "webhook", "url": URL, **changes}
    return create_channel(actor=cast.actor(role), project_id=cast.project.pk, **fields)


def test_a_webhooks_secret_is_made_shown_once_and_sealed(cast: Cast) -> None:
    row, secret = create(cast)
    row.refresh_from_db()
    assert secret.startswith("whsec_")
    assert crypto.unseal(bytes(row.sealed_secret or b"")) == secret
    assert crypto.unseal(bytes(row.sealed_url)) == URL
    assert row.destination == "https://hooks.example.com"
    event = AuditEvent.objects.get(action="channel.created")
    assert "token" not in repr((event.before, event.after))
    assert secret not in repr((event.before, event.after))


def test_pagerduty_knows_its_address_and_needs_a_key(cast: Cast) -> None:
    row, made = create(cast, kind="pagerduty", url="", secret=ROUTING_KEY)
    assert (row.destination, made) == ("https://events.pagerduty.com", "")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Not a slug"}, "name"),
        ({"kind": "pigeon"}, "kind"),
        ({"url": ""}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://user:pass@example.com/"}, "url"),
        ({"url": "https://example.com/#x"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://[::ffff:127.0.0.1]/"}, "url"),
        ({"url": "https://169.254.169.254/", "allow_private": True}, "url"),
        ({"secret": "short"}, "secret"),
        ({"secret": "whsec_ä"}, "secret"),
        ({"kind": "pagerduty"}, "secret"),
        ({"kind": "pagerduty", "secret": "too short"}, "secret"),
        ({"events": []}, "events"),
        ({"events": ["incident.vanished"]}, "events"),
        ({"min_severity": "P9"}, "min_severity"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(
    cast: Cast, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        create(cast, **changes)
    assert refused.value.field == field
    assert not NotificationChannel.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_name_is_taken_once_per_project(cast: Cast, strangers: Cast) -> None:
    create(cast)
    create(strangers)
    with pytest.raises(DomainError) as refused:
        create(cast)
    assert refused.value.code == "name_taken"


@pytest.mark.parametrize("role", ["writer", "engineer", "annotator", "approver", "operator", "auditor"])
def test_only_owners_manage_channels(cast: Cast, hook: Receiver, role: str) -> None:
    row = channel(cast, hook)
    before = AuditEvent.objects.count()
    who: dict[str, Any] = {"actor": cast.actor(role), "project_id": cast.project.pk}
    for refused in (
        lambda: create(cast, role, name="other"),
        lambda: update_channel(**who, channel_id=row.pk, revision=1, enabled=False),
        lambda: rotate_secret(**who, channel_id=row.pk, revision=1),
        lambda: send_test(**who, channel_id=row.pk),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert AuditEvent.objects.count() == before


def test_a_change_needs_the_revision_it_is_based_on(cast: Cast, hook: Receiver) -> None:
    row = channel(cast, hook)
    who: dict[str, Any] = {"actor": cast.actor("owner"), "project_id": cast.project.pk, "channel_id": row.pk}
    changed = update_channel(**who, revision=1, min_severity="P2", events=["incident.opened"])
    assert (changed.revision, changed.min_severity, changed.events) == (2, "P2", ["incident.opened"])
    with pytest.raises(StaleWrite):
        update_channel(**who, revision=1, min_severity="P3")
    with pytest.raises(StaleWrite):
        rotate_secret(**who, revision=1)
    event = AuditEvent.objects.get(action="channel.changed")
    assert event.before is not None
    assert event.after is not None
    assert (event.before["min_severity"], event.after["min_severity"]) == ("P4", "P2")


def test_a_private_address_stays_allowed_only_while_it_is_used_so(cast: Cast, hook: Receiver) -> None:
    row = channel(cast, hook)
    with pytest.raises(InvalidInput):
        update_channel(
            actor=cast.actor("owner"),
            project_id=cast.project.pk,
            channel_id=row.pk,
            revision=1,
            allow_private=False,
        )
    row.refresh_from_db()
    assert (row.allow_private, row.revision) == (True, 1)


def test_a_channel_that_is_off_sends_no_test_and_may_be_switched_on_again(cast: Cast, hook: Receiver) -> None:
    row = channel(cast, hook)
    who: dict[str, Any] = {"actor": cast.actor("owner"), "project_id": cast.project.pk, "channel_id": row.pk}
    update_channel(**who, revision=1, enabled=False)
    with pytest.raises(Conflict):
        send_test(**who)
    assert update_channel(**who, revision=2, enabled=True).disabled_because == ""
    assert send_test(**who).event == "notification.test"


def test_another_projects_channel_is_not_found(cast: Cast, strangers: Cast, hook: Receiver) -> None:
    row = channel(cast, hook)
    with pytest.raises(NotFound):
        update_channel(
            actor=strangers.actor("owner"),
            project_id=strangers.project.pk,
            channel_id=row.pk,
            revision=1,
            enabled=False,
        )


def test_secrets_given_by_hand_are_used(cast: Cast) -> None:
    row, made = create(cast, secret=SECRET)
    assert (crypto.unseal(bytes(row.sealed_secret or b"")), made) == (SECRET, "")
