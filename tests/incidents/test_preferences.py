"""A person's own choices: by the service and by the management API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from incidents.models import Delivery, NotificationPreference
from incidents.services import deliveries
from incidents.services.people import send_own_test
from promptstore.core import keys
from promptstore.core.clock import ManualClock
from promptstore.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, StaleWrite
from promptstore.core.models import AuditEvent
from tests.cast import Cast
from tests.incidents.mailbox import Mailbox
from tests.incidents.people_cast import choose, give_addresses
from tests.incidents.receivers import Receiver
from tests.threads import at_once

URL = "/api/v1/projects/acme/notifications/"


@pytest.fixture
def private(settings: Any) -> None:
    settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = True


def client_of(cast: Cast, role: str) -> APIClient:
    client = APIClient()
    client.force_login(cast.users[role])
    return client


def put(client: APIClient, body: dict[str, Any], revision: int = 0) -> Any:
    return client.put(f"{URL}preferences/", body, headers={"If-Match": f'"{revision}"'})


def test_until_somebody_chooses_their_roles_say_what_is_usual(cast: Cast) -> None:
    operator = client_of(cast, "operator").get(f"{URL}preferences/")
    assert operator["ETag"] == '"0"'
    assert operator.json()["revision"] == 0
    assert "rollout.stepped_down" in operator.json()["email"]
    assert operator.json()["webhook"] == []
    annotator = client_of(cast, "annotator").get(f"{URL}preferences/").json()
    assert "rollout.stepped_down" not in annotator["email"]
    assert not NotificationPreference.objects.exists()


def test_a_choice_is_kept_and_the_secret_is_shown_once(cast: Cast, hook: Receiver, private: None) -> None:
    client = client_of(cast, "writer")
    chosen = {"email": ["promotion.live"], "webhook": ["promotion.live", "approval.requested"]}
    answer = put(client, {**chosen, "webhook_url": hook.url})
    assert answer.status_code == 200, answer.json()
    secret = answer.json()["secret"]
    assert secret.startswith("whsec_")
    assert answer["ETag"] == '"1"'
    assert answer.json()["webhook"] == ["approval.requested", "promotion.live"]
    seen = client.get(f"{URL}preferences/").content.decode()
    assert secret not in seen
    assert hook.url not in seen
    assert put(client, {"email": [], "webhook": []}, revision=1).json()["email"] == []
    kept = [*AuditEvent.objects.values(), *NotificationPreference.objects.get().history.values()]
    assert secret not in repr(kept)
    assert hook.url not in repr(kept)


def test_a_choice_names_the_revision_that_it_is_based_on(cast: Cast) -> None:
    client = client_of(cast, "writer")
    body: dict[str, Any] = {"email": [], "webhook": []}
    assert client.put(f"{URL}preferences/", body).status_code == 428
    assert put(client, body).status_code == 200
    stale = put(client, {"email": ["promotion.live"], "webhook": []})
    assert (stale.status_code, stale.json()["code"], stale.json()["current_revision"]) == (
        412,
        "stale_write",
        1,
    )
    assert put(client, body, revision=7).status_code == 412
    assert NotificationPreference.objects.get().email_events == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": ["incident.nonsense"], "webhook": []}, "email.0"),
        ({"email": []}, "webhook"),
        ({"email": [], "webhook": [], "user": "x"}, "user"),
        ({"email": [], "webhook": [], "webhook_url": "http://127.0.0.1/"}, "webhook_url"),
        ({"email": [], "webhook": [], "webhook_url": "https://169.254.169.254/latest"}, "webhook_url"),
        ({"email": [], "webhook": [], "webhook_url": "http://hooks.example/"}, "webhook_url"),
        ({"email": [], "webhook": [], "webhook_url": "file:///etc/passwd"}, "webhook_url"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(cast: Cast, body: dict[str, Any], field: str) -> None:
    answer = put(client_of(cast, "writer"), body)
    assert answer.status_code in {400, 422}
    assert answer.json()["field"].startswith(field.partition(".")[0])
    assert not NotificationPreference.objects.exists()


def test_private_addresses_are_for_the_instance_to_allow_and_not_for_a_person(
    cast: Cast, hook: Receiver, private: None, settings: Any, clock: ManualClock
) -> None:
    choose(cast, "writer", webhook_url=hook.url)
    row = send_own_test(actor=cast.actor("writer"), project_id=cast.project.pk, way="webhook")
    settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = False
    deliveries.send_due()
    row.refresh_from_db()
    assert row.state == "failed"
    assert row.last_detail.startswith("This URL may not be called")
    assert not hook.received


def test_a_new_secret_replaces_the_old_one_at_once(
    cast: Cast, hook: Receiver, private: None, clock: ManualClock
) -> None:
    client = client_of(cast, "writer")
    assert client.post(f"{URL}rotate-secret/", headers={"If-Match": '"0"'}).status_code == 409
    _, first = choose(cast, "writer", webhook_url=hook.url)
    asked = {"If-Match": '"1"', "Idempotency-Key": "once"}
    answer = client.post(f"{URL}rotate-secret/", headers=asked)
    assert client.post(f"{URL}rotate-secret/", headers=asked).json()["secret"] == ""
    assert answer.json()["secret"].startswith("whsec_")
    assert answer.json()["secret"] != first
    assert client.post(f"{URL}test/", {"way": "webhook"}).status_code == 202
    deliveries.send_due()
    assert hook.received[0].headers["webhook-signature"].count("v1,") == 1


def test_a_receiver_that_is_gone_loses_the_webhook(
    cast: Cast, hook: Receiver, private: None, clock: ManualClock
) -> None:
    choose(cast, "writer", webhook_url=hook.url)
    hook.answer(410)
    send_own_test(actor=cast.actor("writer"), project_id=cast.project.pk, way="webhook")
    deliveries.send_due()
    row = NotificationPreference.objects.get()
    assert (row.sealed_url, row.sealed_secret, row.destination, row.revision) == (None, None, "", 2)
    assert "gone for good" in row.webhook_off_because
    assert AuditEvent.objects.latest("id").action == "preference.webhook_gone"
    with pytest.raises(Conflict):
        send_own_test(actor=cast.actor("writer"), project_id=cast.project.pk, way="webhook")


def test_removing_the_webhook_gives_up_what_waits(
    cast: Cast, hook: Receiver, private: None, clock: ManualClock
) -> None:
    choose(cast, "writer", webhook_url=hook.url)
    hook.answer(500)
    send_own_test(actor=cast.actor("writer"), project_id=cast.project.pk, way="webhook")
    deliveries.send_due()
    choose(cast, "writer", revision=1, webhook_url="")
    assert Delivery.objects.get().state == "failed"
    clock.advance(hours=1)
    assert deliveries.send_due() == 0


def test_a_key_has_no_notifications(cast: Cast) -> None:
    _, secret = keys.create_service_key(
        actor=cast.actor("owner"), environment=cast.production, name="shop", scopes=["serve", "release"]
    )
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get(f"{URL}preferences/").status_code == 403
    assert put(client, {"email": [], "webhook": []}).status_code == 403
    assert client.get(f"{URL}messages/").status_code == 403
    actor = keys.actor_for_key(secret)
    assert actor is not None
    with pytest.raises(NotAllowed):
        send_own_test(actor=actor, project_id=cast.project.pk, way="email")


def test_only_ones_own_messages_are_seen_and_sent_again(
    cast: Cast, mailbox: Mailbox, clock: ManualClock
) -> None:
    give_addresses(cast)
    sent = client_of(cast, "writer").post(f"{URL}test/", {"way": "email"}).json()
    deliveries.send_due()
    mine = client_of(cast, "writer").get(f"{URL}messages/").json()["results"]
    assert [(one["message_id"], one["state"]) for one in mine] == [(sent["message_id"], "delivered")]
    assert client_of(cast, "owner").get(f"{URL}messages/").json()["results"] == []
    replay = f"{URL}messages/{sent['message_id']}/replay/"
    assert client_of(cast, "owner").post(replay).status_code == 404
    assert client_of(cast, "writer").post(replay).status_code == 202
    assert client_of(cast, "writer").post(replay).status_code == 409  # it is still tried
    deliveries.send_due()
    assert len(mailbox.letters) == 2
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1


def test_a_persons_message_is_no_channels_message(cast: Cast, mailbox: Mailbox, clock: ManualClock) -> None:
    give_addresses(cast)
    row = send_own_test(actor=cast.actor("writer"), project_id=cast.project.pk, way="email")
    deliveries.send_due()
    with pytest.raises(NotFound):
        deliveries.replay(actor=cast.actor("operator"), project_id=cast.project.pk, delivery_id=row.pk)


def test_a_way_that_is_missing_says_what_to_do(cast: Cast) -> None:
    client = client_of(cast, "writer")
    for way, word in (("email", "PROMPTSTORE_EMAIL_URL"), ("webhook", "URL")):
        answer = client.post(f"{URL}test/", {"way": way})
        assert (answer.status_code, answer.json()["code"]) == (409, "way_unavailable")
        assert word in answer.json()["detail"]
    with pytest.raises(InvalidInput):
        send_own_test(actor=cast.actor("writer"), project_id=cast.project.pk, way="channel")
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_first_choices_at_once_one_is_told_that_it_came_second(cast: Cast) -> None:
    results = at_once(*[lambda: choose(cast, "writer", email=[])] * 3)
    assert sum(isinstance(one, StaleWrite) for one in results) == 2
    assert NotificationPreference.objects.get().revision == 1
