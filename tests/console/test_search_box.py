from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import Cast
from tests.world import World


def signed_in(cast: Cast, role: str) -> Client:
    client = Client()
    client.force_login(cast.users[role])
    return client


def test_a_name_finds_prompts_releases_and_people(world: World) -> None:
    page = signed_in(world.cast, "writer").get("/search/", {"q": "assist"}).content
    assert b"/prompts/assistant/" in page
    assert b"assistant 1.0.0" in page


def test_a_pasted_id_goes_straight_to_its_page(world: World) -> None:
    release = world.production.stable_release
    assert release is not None
    answer = signed_in(world.cast, "writer").get("/search/", {"q": str(release.id)})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/releases/{release.id}/")
    assert signed_in(world.cast, "writer").get("/search/", {"q": release.digest}).status_code == 302


def test_another_projects_things_are_not_found(world: World, strangers: Cast) -> None:
    release = world.production.stable_release
    assert release is not None
    page = signed_in(strangers, "owner").get("/search/", {"q": str(release.id)})
    assert b"Nothing found" in page.content


@pytest.mark.parametrize("query", ["", "\x00", "%' OR 1=1", "x" * 5_000, "sha256:zz"])
def test_odd_queries_are_answered(cast: Cast, query: str) -> None:
    assert signed_in(cast, "writer").get("/search/", {"q": query}).status_code == 200
