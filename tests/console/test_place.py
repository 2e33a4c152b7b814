from __future__ import annotations

from django.test import Client
from django.urls import reverse

from tests.cast import Cast


def test_a_person_switches_the_environment_and_stays_on_the_page(cast: Cast, client: Client) -> None:
    client.force_login(cast.users["writer"])
    response = client.post(reverse("console:switch"), {"environment": "staging", "next": "/styleguide/"})
    assert response.status_code == 302
    assert response["Location"] == "/styleguide/"
    assert client.session["environment"] == "staging"


def test_a_new_project_starts_at_its_home(cast: Cast, client: Client) -> None:
    client.force_login(cast.users["writer"])
    client.post(reverse("console:switch"), {"environment": "staging"})
    response = client.post(reverse("console:switch"), {"project": "acme", "next": "/styleguide/"})
    assert response["Location"] == "/"
    assert client.session["project"] == "acme"
    assert "environment" not in client.session


def test_nobody_enters_a_project_of_others(cast: Cast, strangers: Cast, client: Client) -> None:
    client.force_login(cast.users["writer"])
    response = client.post(reverse("console:switch"), {"project": "umbrella"})
    assert response.status_code == 404
    assert "project" not in client.session


def test_an_unknown_environment_changes_nothing(cast: Cast, client: Client) -> None:
    client.force_login(cast.users["writer"])
    assert client.post(reverse("console:switch"), {"environment": "moon"}).status_code == 404
    assert "environment" not in client.session


def test_the_switch_needs_a_person(client: Client, db: None) -> None:
    assert client.post(reverse("console:switch"), {"environment": "staging"})["Location"].startswith(
        reverse("login")
    )
