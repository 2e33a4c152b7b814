from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from evals.models import SuiteVersion
from tests.browser import check_page, opened
from tests.cast import Cast
from tests.evals.suites.published import EXACT, freeze, publish, suite_body

pytestmark = pytest.mark.django_db


def signed_in(client: Client, cast: Cast, role: str = "writer") -> Client:
    client.force_login(cast.users[role])
    return client


def test_without_suites_the_page_says_what_they_are_for(client: Client, cast: Cast) -> None:
    page = signed_in(client, cast).get(reverse("evals:suite_list")).content.decode()
    assert "Publish the first suite" in page
    page = signed_in(client, cast, "auditor").get(reverse("evals:suite_list")).content.decode()
    assert "No suites yet" in page
    assert "Publish the first suite" not in page


def test_a_suite_is_published_in_the_browser_and_its_next_version_begins_with_it(
    client: Client, cast: Cast
) -> None:
    freeze(cast)
    signed_in(client, cast)
    posted = {"body": json.dumps(suite_body(EXACT)), "version": "1.0.0", "changelog": "First."}
    answer = client.post(reverse("evals:suite_publish"), posted, follow=True)
    page = answer.content.decode()
    assert "support@1.0.0 is published" in page
    for said in ("at least 1", "held-out@1.0.0", SuiteVersion.objects.get().digest[:15], "First."):
        assert said in page
    form = client.get(reverse("evals:suite_publish"), {"from": "support"}).content.decode()
    assert "exact_match" in form
    again = client.post(reverse("evals:suite_publish"), {**posted, "version": ""})
    assert (again.status_code, SuiteVersion.objects.count()) == (422, 1)
    assert "says already" in again.content.decode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "This is not JSON"),
        (json.dumps(suite_body({"scorer": "guess"})), "body.stages[1].scorers[0].scorer"),
        (json.dumps(suite_body(EXACT, dataset="held-out@9.0.0")), "body.stages[1].dataset"),
    ],
)
def test_what_cannot_work_is_named_and_nothing_typed_is_lost(
    client: Client, cast: Cast, body: str, said: str
) -> None:
    freeze(cast)
    answer = signed_in(client, cast).post(
        reverse("evals:suite_publish"), {"body": body, "changelog": "Kept words."}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "Kept words." in page
    assert not SuiteVersion.objects.exists()


def test_who_may_not_edit_is_refused(client: Client, cast: Cast) -> None:
    freeze(cast)
    answer = signed_in(client, cast, "auditor").post(
        reverse("evals:suite_publish"), {"body": json.dumps(suite_body(EXACT))}
    )
    assert answer.status_code in {403, 422}
    assert not SuiteVersion.objects.exists()


def test_suites_stay_in_their_project(client: Client, cast: Cast, strangers: Cast) -> None:
    freeze(cast)
    publish(cast, suite_body(EXACT), version="1.0.0")
    client.force_login(strangers.users["owner"])
    assert "support" not in client.get(reverse("evals:suite_list")).content.decode()
    for name, args in (("suite_detail", ["support"]), ("suite_version", ["support", "1.0.0"])):
        assert client.get(reverse(f"evals:{name}", args=args)).status_code == 404
    assert client.get(reverse("evals:suite_publish"), {"from": "support"}).status_code == 404


def test_search_finds_a_suite_by_name_version_and_digest(client: Client, cast: Cast) -> None:
    freeze(cast)
    made = publish(cast, suite_body(EXACT), version="1.0.0")
    signed_in(client, cast)
    page = client.get(reverse("console:search"), {"q": "support"}).content.decode()
    assert reverse("evals:suite_detail", args=["support"]) in page
    found = client.get(reverse("console:search"), {"q": made.digest}, follow=True)
    assert found.redirect_chain[-1][0] == reverse("evals:suite_version", args=["support", "1.0.0"])


@pytest.mark.e2e
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_the_pages_are_accessible_at_every_width(
    browser: Browser, live_server: LiveServer, cast: Cast, width: int, scheme: str
) -> None:
    freeze(cast)
    publish(cast, suite_body(EXACT), version="1.0.0")
    page, complaints = opened(
        browser,
        live_server.url,
        cast.users["writer"],
        reverse("evals:suite_list"),
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    paths = (
        reverse("evals:suite_list"),
        reverse("evals:suite_detail", args=["support"]),
        reverse("evals:suite_publish") + "?from=support",
    )
    for path in paths:
        page.goto(live_server.url + path)
    assert complaints == []
    for path in paths:
        page.goto(live_server.url + path)
        check_page(page, path)
