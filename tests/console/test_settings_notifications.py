from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.models import Delivery, NotificationPreference
from incidents.notifications.personal.events import ALL
from incidents.services import deliveries
from promptstore.core.clock import ManualClock
from tests.cast import Cast
from tests.incidents.mailbox import mail_server
from tests.incidents.people_cast import give_addresses
from tests.incidents.receivers import receiver

PAGE = "/settings/notifications/"
SignedIn = Callable[[str], Client]


@pytest.fixture
def browse(cast: Cast) -> SignedIn:
    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(cast.users[role])
        return client

    return sign_in


def ticked(page: Any, way: str) -> set[str]:
    return {row.event for row in page.context["form"].rows() if getattr(row, way)}


def test_the_table_shows_what_is_usual_until_it_is_saved(browse: SignedIn, cast: Cast) -> None:
    client = browse("operator")
    page = client.get(PAGE)
    text = page.content.decode()
    assert (
        text.count('type="checkbox" name="email"') == text.count('type="checkbox" name="webhook"') == len(ALL)
    )
    assert text.count('by e-mail" checked>') == len(ticked(page, "email"))
    assert "rollout.stepped_down" in ticked(page, "email")
    assert 'aria-label="Every rollout of the project: Stepped down, by e-mail"' in text
    assert "No e-mail can be sent to you" in text
    assert "PROMPTSTORE_EMAIL_URL" in text
    assert "Send a test" not in text

    saved = client.post(PAGE, {"revision": 0, "email": ["promotion.live"], "webhook": ["promotion.live"]})

    assert saved["Location"] == PAGE
    page = client.get(PAGE)
    assert ticked(page, "email") == ticked(page, "webhook") == {"promotion.live"}
    assert NotificationPreference.objects.get().user == cast.users["operator"]


def test_an_outdated_page_overwrites_nothing_and_keeps_the_ticks(browse: SignedIn) -> None:
    client = browse("writer")
    client.post(PAGE, {"revision": 0, "email": ["promotion.live"]})
    page = client.post(PAGE, {"revision": 0, "email": ["promotion.rejected"]})
    assert page.status_code == 422
    assert "were changed after you opened them" in page.content.decode()
    assert ticked(page, "email") == {"promotion.rejected"}
    assert NotificationPreference.objects.get().email_events == ["promotion.live"]


@pytest.mark.parametrize("posted", [{}, {"revision": "x"}, {"revision": 0, "email": ["nonsense"]}])
def test_a_form_with_a_fault_is_refused(browse: SignedIn, posted: dict[str, Any]) -> None:
    assert browse("writer").post(PAGE, posted or {"x": 1}).status_code == 422
    assert not NotificationPreference.objects.exists()


def test_a_webhook_shows_its_secret_once_and_its_last_result(
    browse: SignedIn, clock: ManualClock, settings: Any
) -> None:
    settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = True
    client = browse("writer")
    with receiver() as hook:
        shown = client.post(f"{PAGE}webhook/", {"revision": 0, "webhook_url": hook.url})
        assert shown.status_code == 201
        assert "no-store" in shown["Cache-Control"]
        secret = shown.context["secret"]
        assert secret in shown.content.decode()
        page = client.get(PAGE).content.decode()
        assert secret not in page
        assert hook.url not in page
        assert hook.url.removesuffix("/hook") in page
        assert "nothing was sent" in page

        assert client.post(f"{PAGE}test/", {"way": "webhook"})["Location"] == PAGE
        hook.answer(404)
        deliveries.send_due()
        assert "The receiver refuses this message (HTTP 404)." in client.get(PAGE).content.decode()
        message = Delivery.objects.get().message_id
        assert client.post(f"{PAGE}messages/{message}/replay/")["Location"] == PAGE
        hook.answer(200)
        deliveries.send_due()
        assert "Delivered." in client.get(PAGE).content.decode()

    again = client.post(f"{PAGE}rotate/", {"revision": 1})
    assert again.context["secret"] not in {"", secret}
    assert client.post(f"{PAGE}webhook/", {"revision": 2, "webhook_url": ""})["Location"] == PAGE
    assert "Goes to" not in client.get(PAGE).content.decode()


def test_an_address_that_may_not_be_called_is_refused_at_its_field(browse: SignedIn) -> None:
    page = browse("writer").post(f"{PAGE}webhook/", {"revision": 0, "webhook_url": "https://127.0.0.1/"})
    assert page.status_code == 422
    assert list(page.context["webhook_form"].errors) == ["webhook_url"]


def test_a_test_by_e_mail_arrives_and_is_listed(
    browse: SignedIn, cast: Cast, clock: ManualClock, settings: Any
) -> None:
    give_addresses(cast)
    client = browse("writer")
    with mail_server() as mailbox:
        settings.PROMPTSTORE_EMAIL_URL = mailbox.url
        settings.PROMPTSTORE_EMAIL_FROM = "promptstore@console.example"
        page = client.get(PAGE).content.decode()
        assert "writer@acme.example" in page
        assert "Nothing was sent to you yet" in page
        client.post(f"{PAGE}test/", {"way": "email"})
        deliveries.send_due()
        assert mailbox.recipients == [["writer@acme.example"]]
    page = client.get(PAGE).content.decode()
    assert "Handed to the mail server." in page
    assert "This is a test. Nothing has happened." in page
    assert "Handed to" not in browse("owner").get(PAGE).content.decode()


def test_a_message_of_somebody_else_is_not_found(browse: SignedIn, cast: Cast, settings: Any) -> None:
    settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = True
    browse("writer").post(f"{PAGE}webhook/", {"revision": 0, "webhook_url": "http://127.0.0.1:9/"})
    browse("writer").post(f"{PAGE}test/", {"way": "webhook"})
    message = Delivery.objects.get().message_id
    assert browse("owner").post(f"{PAGE}messages/{message}/replay/").status_code == 404


def test_everybody_finds_the_page_beside_their_tokens(browse: SignedIn) -> None:
    assert f'href="{PAGE}"' in browse("annotator").get("/settings/").content.decode()
    assert Client().get(PAGE).status_code == 302


def test_a_choice_without_a_csrf_token_is_refused(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users["owner"])
    for address in ("", "webhook/", "rotate/", "test/", "messages/msg_1/replay/"):
        assert client.post(f"{PAGE}{address}", {"revision": 0}).status_code == 403
    assert not NotificationPreference.objects.exists()
