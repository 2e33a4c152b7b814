from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from promptstore.console.settings.forms import ServiceKeyForm
from promptstore.core import keys
from promptstore.core.clock import ManualClock
from promptstore.core.models import ApiKey, AuditEvent, OutboxMessage
from promptstore.core.permissions import SCOPES
from tests.cast import Cast

SignedIn = Callable[[str], Client]


@pytest.fixture
def browse(cast: Cast) -> SignedIn:
    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(cast.users[role])
        return client

    return sign_in


def token_of(cast: Cast, role: str, name: str = "laptop") -> tuple[ApiKey, str]:
    return keys.create_personal_token(actor=cast.actor(role), project_id=cast.project.pk, name=name)


def typed(**changes: Any) -> dict[str, Any]:
    """What a browser sends to make a key."""
    return {"form_id": uuid4(), "name": "checkout", "expires": "90", **changes}


def secret_in(page: Any) -> str:
    secret: str = page.context["secret"]
    return secret


def test_every_member_makes_a_token_whose_secret_is_shown_once(
    browse: SignedIn, cast: Cast, clock: ManualClock
) -> None:
    client = browse("annotator")
    assert b"No tokens yet" in client.get("/settings/").content

    page = client.post("/settings/tokens/new/", typed(name="laptop"))

    assert page.status_code == 201
    assert "no-store" in page["Cache-Control"]
    key = ApiKey.objects.get()
    assert (key.user, key.expires_at) == (cast.users["annotator"], clock.now() + timedelta(days=90))
    secret = secret_in(page)
    assert secret in page.content.decode()
    assert keys.digest_of(secret) == key.digest
    listed = client.get("/settings/").content.decode()
    assert secret not in listed
    assert f"pt_…{key.hint}" in listed


def test_a_form_that_is_sent_again_makes_no_second_token(browse: SignedIn) -> None:
    client = browse("writer")
    form = typed()
    client.post("/settings/tokens/new/", form)

    again = client.post("/settings/tokens/new/", form, follow=True)

    assert "exists already" in again.content.decode()
    assert ApiKey.objects.count() == 1
    client.post("/settings/tokens/new/", typed())
    assert ApiKey.objects.count() == 2


def test_a_token_without_a_name_is_refused_at_its_field(browse: SignedIn) -> None:
    page = browse("writer").post("/settings/tokens/new/", typed(name=" "))

    assert page.status_code == 422
    assert "Fill this in." in page.content.decode()
    assert not ApiKey.objects.exists()


def test_only_ones_own_tokens_are_listed(browse: SignedIn, cast: Cast, strangers: Cast) -> None:
    token_of(cast, "owner", "of somebody else")
    token_of(strangers, "writer", "of another project")

    assert b"No tokens yet" in browse("writer").get("/settings/").content


def test_the_list_says_when_a_token_was_used(browse: SignedIn, cast: Cast, clock: ManualClock) -> None:
    key, secret = token_of(cast, "writer")
    assert browse("writer").get("/settings/").content.decode().count(">never<") == 2  # used, expires

    APIClient().get("/api/v1/projects/acme/features/", headers={"Authorization": f"Bearer {secret}"})

    key.refresh_from_db()
    assert key.last_used_at == clock.now()
    assert browse("writer").get("/settings/").content.decode().count(">never<") == 1


def test_an_expired_token_stays_listed_and_says_so(browse: SignedIn, cast: Cast, clock: ManualClock) -> None:
    keys.create_personal_token(
        actor=cast.actor("writer"),
        project_id=cast.project.pk,
        name="old",
        expires_at=clock.now() + timedelta(days=1),
    )
    assert "Expired" not in browse("writer").get("/settings/").content.decode()
    clock.advance(days=2)
    assert "Expired" in browse("writer").get("/settings/").content.decode()


def test_a_token_is_revoked_after_a_page_that_asks(browse: SignedIn, cast: Cast) -> None:
    key, secret = token_of(cast, "writer")
    client = browse("writer")
    address = f"/settings/keys/{key.pk}/revoke/"
    assert b"Whatever uses it stops working" in client.get(address).content
    assert keys.actor_for_key(secret)

    assert client.post(address, {"reason": "The laptop is gone."})["Location"] == "/settings/"

    assert keys.actor_for_key(secret) is None
    assert AuditEvent.objects.filter(action="key.revoked").count() == 1
    assert "Revoked before" in client.get("/settings/").content.decode()
    assert b"Revoked already" in client.get(address).content


def test_nobody_revokes_a_token_of_somebody_else_without_the_right_to(
    browse: SignedIn, cast: Cast, strangers: Cast
) -> None:
    key, _ = token_of(cast, "owner")
    foreign, _ = token_of(strangers, "writer")

    for client, one, status in (
        (browse("writer"), key, 403),
        (browse("owner"), foreign, 404),
        (browse("owner"), key, 302),
    ):
        if status != 302:
            assert client.get(f"/settings/keys/{one.pk}/revoke/").status_code == status
        assert client.post(f"/settings/keys/{one.pk}/revoke/").status_code == status
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


def test_owners_make_a_service_key_for_one_environment(browse: SignedIn, cast: Cast) -> None:
    client = browse("owner")
    page = client.post(
        "/settings/keys/new/", typed(environment="staging", scopes=["serve", "telemetry"], expires="never")
    )

    key = ApiKey.objects.get()
    assert (key.environment, key.scopes, key.expires_at) == (cast.staging, ["serve", "telemetry"], None)
    assert secret_in(page).startswith("ps_")
    assert OutboxMessage.objects.filter(topic="snapshot.publish").count() == 1
    listed = client.get("/settings/keys/").content.decode()
    assert "checkout" in listed
    assert "No keys yet" in listed  # in production
    assert client.post(f"/settings/keys/{key.pk}/revoke/")["Location"] == "/settings/keys/"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"environment": "elsewhere"}, "environment"),
        ({"expires": "5000"}, "expires"),
        ({"name": ""}, "name"),
        ({"form_id": "x"}, "form_id"),
    ],
)
def test_a_service_key_with_a_fault_is_refused_at_its_field(
    browse: SignedIn, changes: dict[str, Any], field: str
) -> None:
    page = browse("owner").post(
        "/settings/keys/new/", typed(environment="staging", scopes=["serve"]) | changes
    )

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert not ApiKey.objects.exists()


def test_whoever_may_not_manage_keys_sees_nothing_of_them(browse: SignedIn) -> None:
    client = browse("writer")

    assert "Service keys" not in client.get("/settings/").content.decode()
    assert client.get("/settings/keys/").status_code == 403
    assert (
        client.post("/settings/keys/new/", typed(environment="staging", scopes=["serve"])).status_code == 403
    )
    assert not ApiKey.objects.exists()


def test_a_write_without_a_csrf_token_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["owner"])
    key, _ = token_of(cast, "owner")

    assert client.post("/settings/tokens/new/", typed()).status_code == 403
    assert client.post(f"/settings/keys/{key.pk}/revoke/").status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None
    assert ApiKey.objects.count() == 1


def test_the_form_offers_every_scope_there_is() -> None:
    offered = [value for value, _ in ServiceKeyForm([]).fields["scopes"].choices]  # type: ignore[attr-defined]
    assert offered == list(SCOPES)


def test_a_last_use_is_written_no_more_than_once_in_five_minutes(
    cast: Cast, clock: ManualClock, count_queries: Any
) -> None:
    key, secret = token_of(cast, "writer")
    keys.actor_for_key(secret)
    first = clock.now()
    clock.advance(minutes=4)
    with count_queries() as seen:
        keys.actor_for_key(secret)
    assert not [query for query in seen if query["sql"].startswith("UPDATE")]
    key.refresh_from_db()
    assert key.last_used_at == first
    clock.advance(minutes=1)
    keys.actor_for_key(secret)
    key.refresh_from_db()
    assert key.last_used_at == clock.now()
