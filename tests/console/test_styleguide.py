from __future__ import annotations

import pytest
from django.http import JsonResponse
from django.test import Client
from django.urls import reverse

from promptstore.core import clock as clocks
from promptstore.core.models import User
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(cast: Cast, client: Client) -> Client:
    user = User.objects.get(pk=cast.users["operator"].pk)
    user.is_staff = True
    user.save()
    client.force_login(user)
    return client


def test_strangers_sign_in_first(client: Client) -> None:
    response = client.get(reverse("console:styleguide"))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("login"))


def test_only_staff_may_look(cast: Cast, client: Client) -> None:
    client.force_login(cast.users["writer"])
    for name in ("styleguide", "styleguide_live", "styleguide_series"):
        assert client.get(reverse(f"console:{name}")).status_code == 403


def test_the_guide_shows_every_component(staff: Client, clock: clocks.ManualClock) -> None:
    response = staff.get(reverse("console:styleguide"))
    assert response.status_code == 200
    html = response.content.decode()
    for part in (
        "ps-page-head",
        "ps-card",
        "ps-kv",
        "ps-stats",
        "ps-table",
        "ps-pages",
        "ps-filters",
        "ps-empty",
        "ps-notice",
        "ps-findings",
        "ps-clear",
        "ps-code",
        "ps-diff--inline",
        "ps-diff--split",
        "ps-stepper",
        "ps-timeline",
        "ps-chart",
        "ps-confirm",
        "ps-live",
        "ps-skeleton",
        "ps-tabs",
        "ps-form",
        "ps-field__error",
        "ps-crumbs",
        "ps-digest",
        "ps-copy",
        "ps-status--harm",
    ):
        assert f'class="{part}' in html or f" {part}" in html, part


def test_invalid_input_is_answered_with_422_and_a_summary(staff: Client) -> None:
    response = staff.post(reverse("console:styleguide"), {"name": "", "version": "1.3.0"})
    assert response.status_code == 422
    assert "Nothing was saved" in response.content.decode()


def test_a_live_fragment_is_sent_again_only_when_it_changed(staff: Client, clock: clocks.ManualClock) -> None:
    url = reverse("console:styleguide_live")
    etag = staff.get(url)["ETag"]
    clock.advance(seconds=1)
    assert staff.get(url, headers={"If-None-Match": etag}).status_code == 304
    clock.advance(seconds=10)
    assert staff.get(url, headers={"If-None-Match": etag}).status_code == 200


def test_the_chart_that_loads_by_itself_gets_the_documented_shape(staff: Client) -> None:
    response = staff.get(reverse("console:styleguide_series"))
    assert isinstance(response, JsonResponse)
    data = response.json()
    assert {"unit", "x", "series", "limit", "window", "marks"} <= set(data)
    assert all(len(series["values"]) == len(data["x"]) for series in data["series"])


def test_a_confirm_without_a_reason_does_nothing_and_says_so(staff: Client) -> None:
    response = staff.post(reverse("console:styleguide_sent"), {"reason": " "}, follow=True)
    assert "say why" in response.content.decode()
