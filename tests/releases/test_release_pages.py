from __future__ import annotations

from typing import Any

import pytest

from releases.models import Release
from tests.cast import Cast
from tests.releases.clients import page_as
from tests.world import World


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def test_the_list_says_what_is_live_where_and_what_is_on_its_way(world: World) -> None:
    world.roll_out()
    page = text_of(page_as(world.cast, "auditor").get("/releases/"))
    assert "Staging" in page
    assert "Production" in page
    assert "1.1.0 at 2\u00a0%" in page
    assert "On its way" in page
    assert "Compose a release" not in page, "an auditor may not compose"


def test_an_empty_project_is_told_the_next_step(cast: Cast) -> None:
    assert "Nothing to release yet" in text_of(page_as(cast, "owner").get("/releases/"))
    assert "No feature yet" in text_of(page_as(cast, "engineer").get("/releases/compose/"))


def test_all_releases_of_one_feature_are_paged(world: World) -> None:
    world.compose()
    page = text_of(page_as(world.cast, "auditor").get("/releases/?feature=assistant"))
    assert page.index("1.1.0") < page.rindex("1.0.0")


def test_the_list_needs_no_query_per_release(world: World, count_queries: Any) -> None:
    client = page_as(world.cast, "auditor")
    client.get("/releases/")
    with count_queries() as few:
        client.get("/releases/")
    for _ in range(3):
        world.compose()
    with count_queries() as many:
        client.get("/releases/")
    assert len(many) == len(few) <= 24


def test_a_release_shows_its_pins_makers_and_where_it_may_go(world: World) -> None:
    release = world.compose()
    page = text_of(page_as(world.cast, "engineer").get(f"/releases/{release.pk}/"))
    assert release.digest in page
    assert "writer@acme" in page
    assert "Request promotion to production" in page
    assert "No answers in the last 7 days" in page
    first = Release.objects.get(version="1.0.0")
    assert "It is live in production." in text_of(
        page_as(world.cast, "engineer").get(f"/releases/{first.pk}/")
    )


def test_single_answers_are_shown_only_to_who_may_read_them(world: World) -> None:
    release = world.compose()
    assert "Your roles do not show single inferences" in text_of(
        page_as(world.cast, "writer").get(f"/releases/{release.pk}/")
    )


def test_a_digest_leads_to_its_release(world: World) -> None:
    release = world.compose()
    answer = page_as(world.cast, "auditor").get(f"/releases/by-digest/{release.digest}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/releases/{release.pk}/")


def test_requesting_a_promotion_is_one_form(world: World) -> None:
    release = world.compose()
    answer = page_as(world.cast, "engineer").post(
        "/releases/promotions/request/",
        {"release": str(release.pk), "environment": "production", "reason": "Calmer."},
    )
    assert answer.status_code == 302
    assert answer["Location"].startswith("/releases/promotions/")


@pytest.mark.parametrize("path", ["", "compose/", "promotions/", "environments/production/policy/"])
def test_nobody_is_sent_to_sign_in(world: World, client: Any, path: str) -> None:
    answer = client.get(f"/releases/{path}")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login/")


def test_another_projects_objects_are_404(world: World, strangers: Cast) -> None:
    rollout = world.roll_out()
    client = page_as(strangers, "owner")
    for path in (
        f"{rollout.candidate_id}/",
        f"by-digest/{rollout.candidate.digest}/",
        f"promotions/{rollout.promotion_id}/",
        f"promotions/{rollout.promotion_id}/live/",
        f"promotions/{rollout.promotion_id}/decide/",
        f"rollouts/{rollout.pk}/",
        f"rollouts/{rollout.pk}/live/",
        f"rollouts/{rollout.pk}/actions/",
        f"deployments/{rollout.deployment_id}/",
    ):
        assert client.get(f"/releases/{path}").status_code == 404, path
    for path in (f"rollouts/{rollout.pk}/pause/", f"promotions/{rollout.promotion_id}/cancel/"):
        assert client.post(f"/releases/{path}", {"reason": "Mine."}).status_code == 404, path


def test_a_deployment_offers_the_way_back_to_operators(world: World) -> None:
    path = f"/releases/deployments/{world.production.pk}/"
    assert "Adopted as found" in text_of(page_as(world.cast, "auditor").get(path))
    client = page_as(world.cast, "operator")
    assert "Return to" not in text_of(client.get(path)), "only one release was ever live"
    refused = client.post(f"{path}return/", {"release": str(world.compose().pk), "reason": "Try."})
    assert refused.status_code == 302
    assert world.production.stable_release is not None
    assert world.production.stable_release.version == "1.0.0"
