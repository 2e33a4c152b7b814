from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from incidents.models import Delivery, NotificationChannel
from promptstore.core import crypto
from tests.cast import Cast
from tests.incidents.channel_cast import ROUTING_KEY, SECRET, channel
from tests.incidents.incident_cast import opened
from tests.incidents.receivers import Receiver


def signed_in(client: Client, cast: Cast, role: str = "owner") -> Client:
    client.force_login(cast.users[role])
    return client


def url(name: str, *more: str) -> str:
    return reverse(f"incidents:{name}", args=more)


def typed(**changes: Any) -> dict[str, Any]:
    return {
        "name": "ops",
        "kind": "webhook",
        "url": "https://hooks.example.com/T0/token",
        "events": ["incident.opened", "incident.resolved"],
        "min_severity": "P2",
        **changes,
    }


def test_an_owner_adds_a_channel_and_sees_its_secret_once(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    assert "Nobody is told yet" in client.get(url("channel_list")).content.decode()
    made = client.post(url("channel_create"), typed())
    page = made.content.decode()
    assert (made.status_code, "whsec_" in page, "no-store" in made.headers["Cache-Control"]) == (
        201,
        True,
        True,
    )
    row = NotificationChannel.objects.get()
    assert (row.events, row.min_severity) == (["incident.opened", "incident.resolved"], "P2")
    for later in (client.get(url("channel_list")), client.get(url("channel_detail", "ops"))):
        text = later.content.decode()
        assert "https://hooks.example.com" in text
        assert not any(secret in text for secret in ("whsec_", "T0/token"))


def test_a_refusal_stands_at_its_field_and_nothing_secret_comes_back(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    refused = client.post(
        url("channel_create"), typed(kind="pagerduty", url="https://127.0.0.1/", secret=ROUTING_KEY)
    )
    page = refused.content.decode()
    assert (refused.status_code, "may not be called" in page, ROUTING_KEY in page) == (422, True, False)
    assert not NotificationChannel.objects.exists()


def test_a_channel_is_changed_tested_switched_and_rotated(client: Client, cast: Cast, hook: Receiver) -> None:
    row = channel(cast, hook)
    signed_in(client, cast)
    body = {"revision": "1", "events": ["incident.opened"], "min_severity": "P1", "allow_private": "on"}
    assert client.post(url("channel_detail", "webhook"), body).status_code == 302
    assert client.post(url("channel_detail", "webhook"), body).status_code == 422  # a stale revision
    assert client.post(url("channel_test", "webhook")).status_code == 302
    rotated = client.post(url("channel_rotate", "webhook"), {"revision": "2"}).content.decode()
    assert "whsec_" in rotated
    assert SECRET not in rotated
    switch = {"revision": "3", "enabled": "no"}
    assert client.post(url("channel_switch", "webhook"), switch).status_code == 302
    assert client.post(url("channel_switch", "webhook"), switch).status_code == 412
    assert client.post(url("channel_switch", "webhook"), {"revision": "x"}).status_code == 400
    row.refresh_from_db()
    assert (row.min_severity, row.enabled, row.revision) == ("P1", False, 4)
    assert "Switched off" in client.get(url("channel_detail", "webhook")).content.decode()


def test_an_operator_replays_and_a_writer_only_looks(client: Client, cast: Cast, hook: Receiver) -> None:
    channel(cast, hook)
    opened(cast)
    Delivery.objects.update(state="failed", last_detail="<b>HTTP 400</b>")
    message_id = Delivery.objects.get().message_id
    signed_in(client, cast, "writer")
    page = client.get(url("channel_detail", "webhook")).content.decode()
    assert ("Replay" in page, "Send a test message" in page, "&lt;b&gt;HTTP 400" in page) == (
        False,
        False,
        True,
    )
    assert client.post(url("channel_replay", "webhook", message_id)).status_code == 403
    assert client.get(url("channel_create")).status_code == 403
    signed_in(client, cast, "operator")
    assert "Replay" in client.get(url("channel_detail", "webhook")).content.decode()
    assert client.post(url("channel_replay", "webhook", message_id)).status_code == 302
    assert Delivery.objects.get().state == "pending"


def test_another_projects_channel_is_not_found(
    client: Client, cast: Cast, strangers: Cast, hook: Receiver
) -> None:
    channel(cast, hook)
    signed_in(client, strangers)
    assert client.get(url("channel_detail", "webhook")).status_code == 404
    assert client.post(url("channel_test", "webhook")).status_code == 404
    assert "webhook" not in client.get(url("channel_list")).content.decode().split("<main")[1]


def test_a_pagerduty_key_is_replaced_and_not_shown(client: Client, cast: Cast, hook: Receiver) -> None:
    row = channel(cast, hook, "pagerduty")
    signed_in(client, cast)
    assert "New integration key" in client.get(url("channel_detail", "pagerduty")).content.decode()
    fresh = "f" * 32
    answer = client.post(url("channel_rotate", "pagerduty"), {"revision": "1", "secret": fresh}, follow=True)
    assert fresh not in answer.content.decode()
    row.refresh_from_db()
    assert (crypto.unseal(bytes(row.sealed_secret or b"")), row.sealed_previous_secret) == (fresh, None)
