from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from incidents.models import Delivery, NotificationChannel
from promptstore.core import keys
from promptstore.core.models import IdempotentReply
from tests.cast import Cast
from tests.incidents.channel_cast import ROUTING_KEY, channel
from tests.incidents.incident_cast import opened
from tests.incidents.receivers import Receiver

BASE = "/api/v1/projects/acme/notification-channels/"
BODY = {"name": "ops", "kind": "webhook", "url": "https://hooks.example.com/T0/token"}


def client(cast: Cast, role: str = "owner") -> APIClient:
    made = APIClient()
    _, token = keys.create_personal_token(actor=cast.actor(role), project_id=cast.project.pk, name="test")
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return made


def test_a_channel_is_made_changed_and_rotated_and_its_secrets_are_shown_once(cast: Cast) -> None:
    api = client(cast)
    made = api.post(BASE, BODY)
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.json()["secret"].startswith("whsec_")
    one = f"{BASE}ops/"
    assert api.patch(one, {"min_severity": "P2"}).status_code == 428
    changed = api.patch(one, {"min_severity": "P2"}, headers={"If-Match": '"1"'})
    assert (changed.json()["min_severity"], changed.headers["ETag"]) == ("P2", '"2"')
    assert api.patch(one, {"enabled": False}, headers={"If-Match": '"1"'}).status_code == 412
    rotated = api.post(f"{one}rotate-secret/", {}, headers={"If-Match": '"2"'})
    assert rotated.json()["secret"] != made.json()["secret"]
    shown = api.get(one).content + api.get(BASE).content
    for secret in (made.json()["secret"], rotated.json()["secret"], "token"):
        assert secret.encode() not in shown
    assert b"https://hooks.example.com" in shown


def test_a_kept_reply_to_a_repeated_request_holds_no_secret(cast: Cast) -> None:
    api = client(cast)
    first, again = (api.post(BASE, BODY, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json()["secret"], again.json()["channel"]) == ("", first.json()["channel"])
    assert first.json()["secret"].startswith("whsec_")
    assert b"whsec_" not in bytes(IdempotentReply.objects.get().body or b"")
    assert NotificationChannel.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"url": "https://169.254.169.254/"}, "url_refused", "url"),
        ({"url": "https://[::ffff:127.0.0.1]/"}, "url_refused", "url"),
        ({"kind": "pigeon"}, "invalid", "kind"),
        ({"hook": "x"}, "invalid", "hook"),
        ({"events": ["incident.vanished"]}, "invalid", "events[0]"),
    ],
)
def test_bad_bodies_are_named(cast: Cast, changes: dict[str, Any], code: str, field: str) -> None:
    refused = client(cast).post(BASE, {**BODY, **changes})
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (400, code, field)
    assert not NotificationChannel.objects.exists()


def test_deliveries_are_listed_and_replayed(cast: Cast, hook: Receiver) -> None:
    channel(cast, hook, "pagerduty", secret=ROUTING_KEY)
    opened(cast)
    Delivery.objects.update(state="failed")
    api = client(cast, "operator")
    listed = api.get(f"{BASE}pagerduty/deliveries/")
    assert ROUTING_KEY not in listed.content.decode()
    (row,) = listed.json()["results"]
    assert (row["event"], row["state"]) == ("incident.opened", "failed")
    again = api.post(f"{BASE}pagerduty/replay/", {"message_id": row["message_id"]})
    assert (again.status_code, again.json()["message_id"], again.json()["state"]) == (
        202,
        row["message_id"],
        "pending",
    )
    assert api.post(f"{BASE}pagerduty/replay/", {"message_id": row["message_id"]}).status_code == 409
    assert api.post(f"{BASE}pagerduty/replay/", {"message_id": "msg_x"}).status_code == 404


def test_a_test_is_accepted_and_listed(cast: Cast, hook: Receiver) -> None:
    channel(cast, hook)
    answer = client(cast).post(f"{BASE}webhook/test/", {})
    assert (answer.status_code, answer.json()["event"]) == (202, "notification.test")


def test_roles_and_projects_are_kept_apart(cast: Cast, strangers: Cast, hook: Receiver) -> None:
    channel(cast, hook)
    operator, stranger = client(cast, "operator"), client(strangers)
    assert operator.get(BASE).status_code == 200
    assert operator.post(BASE, BODY).status_code == 403
    assert operator.post(f"{BASE}webhook/test/", {}).status_code == 403
    assert stranger.get(BASE).status_code == 404
    assert stranger.get("/api/v1/projects/umbrella/notification-channels/webhook/").status_code == 404
    assert NotificationChannel.objects.count() == 1
