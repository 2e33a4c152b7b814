from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from promptstore.console.inventory.pages import numbered_page
from promptstore.console.inventory.points import STATES, Point, PointFilter, points
from promptstore.core import clock as clocks
from promptstore.core import keys
from promptstore.core.errors import InvalidInput
from registry.models import Feature
from tests.cast import Cast
from tests.traffic import record
from tests.world import World


def signed_in(cast: Cast, role: str) -> Client:
    client = Client()
    client.force_login(cast.users[role])
    return client


def found(world: World, **wanted: str) -> list[Point]:
    return points(project_id=world.cast.project.id, wanted=PointFilter(**wanted))


def test_a_feature_is_a_point_in_every_environment_with_what_answers_there(world: World) -> None:
    staging, production = found(world)
    assert (staging.environment, production.environment) == ("staging", "production")
    assert (production.release, production.state) == ("1.0.0", "silent")
    assert [str(one) for one in production.prompts] == ["assistant@1.0.0"]
    assert [(one.role, str(one)) for one in production.models] == [("primary", "small@1.0.0")]


def test_calls_are_counted_for_a_day_and_copies_in_shadow_are_none(
    world: World, clock: clocks.ManualClock
) -> None:
    rollout = world.roll_out()
    record(rollout, "shadow", 7)
    assert found(world, environment="production")[0].state == "silent"
    record(rollout, "stable", 3)
    (point,) = found(world, environment="production")
    assert (point.calls_per_day, point.state) == (3, "live")
    clock.advance(days=2)
    (point,) = found(world, environment="production")
    assert point.calls_per_day == 0
    assert point.last_call is not None


def test_services_are_the_keys_that_may_call_there_now(world: World) -> None:
    owner = world.cast.actor("owner")
    for name, scopes in (("shop", ["serve"]), ("pipeline", ["release"]), ("gone", ["serve"])):
        key, _ = keys.create_service_key(
            actor=owner, environment=world.cast.production, name=name, scopes=scopes
        )
    keys.revoke_key(actor=owner, key_id=key.pk, project_id=world.cast.project.id)
    assert [point.services for point in found(world)] == [(), ("shop",)]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"text": "small@1"}, 2), ({"text": "nothing like it"}, 0), ({"environment": "staging"}, 1), ({"environment": "x"}, 0),
        ({"state": "silent"}, 2), ({"state": "empty"}, 0), ({"sort": "-last_call"}, 2), ({"sort": "surprise"}, 2),
    ],
)  # fmt: skip
def test_filters_choose_points(world: World, wanted: dict[str, str], count: int) -> None:
    assert len(found(world, **wanted)) == count


def test_the_page_its_exports_and_the_api_say_the_same(world: World) -> None:
    client = signed_in(world.cast, "auditor")
    page = client.get("/inventory/").content.decode()
    for words in ("assistant", "never called", "/models/small/versions/1.0.0/", "1.0.0"):
        assert words in page
    csv = client.get("/inventory/export.csv", {"environment": "production"}).content.decode().splitlines()
    assert len(csv) == 2
    assert "assistant@1.0.0" in csv[1]
    assert len(client.get("/inventory/export.json").json()) == 2
    assert client.get("/inventory/export.xml").status_code == 404
    api = APIClient()
    api.force_login(world.cast.users["auditor"])
    answer = api.get("/api/v1/projects/acme/inventory/?state=silent").json()
    assert (answer["total"], answer["next"]) == (2, "")
    assert answer["results"][0]["models"][0] == {"name": "small", "version": "1.0.0", "role": "primary"}


def test_prompts_and_models_say_where_they_are_used(world: World) -> None:
    client = signed_in(world.cast, "writer")
    assert "assistant in production" in client.get("/inventory/artifacts/").content.decode()
    page = client.get("/inventory/artifacts/", {"kind": "model", "q": "small"}).content.decode()
    assert "assistant in staging" in page
    assert "Nothing found" in client.get("/inventory/artifacts/", {"q": "nothing-like-it"}).content.decode()


def test_an_empty_project_is_told_what_this_is_for(cast: Cast) -> None:
    assert "Create the first feature" in signed_in(cast, "engineer").get("/inventory/").content.decode()
    assert "Create the first feature" not in signed_in(cast, "auditor").get("/inventory/").content.decode()


def test_another_projects_points_are_not_listed(world: World, strangers: Cast) -> None:
    client = signed_in(strangers, "owner")
    for path in ("/inventory/", "/inventory/artifacts/", "/inventory/export.csv"):
        assert "assistant" not in client.get(path).content.decode()


def test_many_features_cost_no_more_queries(world: World, count_queries: Any) -> None:
    with count_queries() as few:
        found(world)
    Feature.objects.bulk_create(
        Feature(project=world.cast.project, slug=f"feature-{number}", name="x") for number in range(120)
    )
    with count_queries() as many:
        assert len(found(world)) == 242
    assert len(many) == len(few)


def test_pages_are_numbered_and_nonsense_is_refused() -> None:
    rows = list(range(7))
    assert (numbered_page(rows, "", size=3).next, numbered_page(rows, "3", size=3).rows) == ("2", [6])
    assert numbered_page(rows, "9", size=3).rows == []
    for cursor in ("x", "-1", "1" * 9, "²"):
        with pytest.raises(InvalidInput):
            numbered_page(rows, cursor)


def test_every_state_has_words() -> None:
    assert all(STATES.values())
