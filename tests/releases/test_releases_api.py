from __future__ import annotations

from typing import Any

import pytest

from promptstore.core.models import AuditEvent
from releases.models import Deployment, Release
from tests.cast import Cast
from tests.releases.clients import api_as
from tests.world import World

URL = "/api/v1/projects/acme/releases/"


def composition(world: World, **changes: Any) -> dict[str, Any]:
    version = world.publish().version
    return {
        "feature": "assistant",
        "prompts": {"assistant": version},
        "models": {"primary": "small@1.0.0"},
        "config": "assistant@1.0.0",
    } | changes


def test_composing_answers_the_immutable_release_with_its_digest(world: World) -> None:
    answer = api_as(world.cast, "writer").post(URL, composition(world, changelog="Calmer."), format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert body["version"] == "1.1.0"
    assert body["digest"].startswith("sha256:")
    assert body["manifest"]["prompts"][0]["name"] == "assistant"
    assert body["contributors"] == [str(world.cast.users["writer"].pk)]


def test_a_release_is_read_by_digest_and_by_version_within_its_feature(world: World) -> None:
    client = api_as(world.cast, "auditor")
    first = Release.objects.get(version="1.0.0")
    by_digest = client.get(f"{URL}{first.digest}/")
    by_version = client.get(f"{URL}1.0.0/?feature=assistant")
    assert by_digest.json() == by_version.json()
    assert by_digest.json()["digest"] == first.digest
    assert client.get(f"{URL}9.9.9/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"feature": 7}, "feature"),
        ({"feature": None}, "feature"),
        ({"prompts": {}}, "prompts"),
        ({"prompts": {"assistant": True}}, "prompts.assistant"),
        ({"prompts": []}, "prompts"),
        ({"models": {"primary": "small"}}, "models.primary"),
        ({"models": {"cheap": "small@1.0.0"}}, "models"),
        ({"config": "assistant"}, "config"),
        ({"primary": "other"}, "primary"),
        ({"version": "one"}, "version"),
        ({"changelog": "x" * 10_001}, "changelog"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_names_the_field_and_changes_nothing(
    world: World, changes: dict[str, Any], field: str
) -> None:
    body = composition(world, **changes)
    before = (Release.objects.count(), AuditEvent.objects.count())
    answer = api_as(world.cast, "engineer").post(URL, body, format="json")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["field"] == field
    assert (Release.objects.count(), AuditEvent.objects.count()) == before


@pytest.mark.parametrize(
    "text", ['{"feature": "a\\u0000"}', '{"feature": NaN}', '{"a": 1, "a": 2}', "[", "[" * 100 + "]" * 100]
)
def test_a_body_that_is_not_strict_json_is_a_problem_document(world: World, text: str) -> None:
    answer = api_as(world.cast, "engineer").post(URL, text, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_version_going_backwards_and_an_unknown_prompt_version_are_refused(world: World) -> None:
    client = api_as(world.cast, "engineer")
    lower = client.post(URL, composition(world, version="0.9.0"), format="json")
    assert (lower.status_code, lower.json()["code"]) == (409, "version_not_higher")
    unknown = client.post(URL, composition(world, prompts={"assistant": "7.0.0"}), format="json")
    assert unknown.status_code == 404


def test_the_same_idempotency_key_composes_once(world: World) -> None:
    client, body = api_as(world.cast, "engineer"), composition(world)
    first, second = (client.post(URL, body, format="json", HTTP_IDEMPOTENCY_KEY="k-1") for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotent-Replay"] == "true"
    assert Release.objects.count() == 2
    other = client.post(URL, body | {"changelog": "Else."}, format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("writer", 201),
        ("engineer", 201),
        ("owner", 201),
        ("annotator", 403),
        ("approver", 403),
        ("operator", 403),
        ("auditor", 403),
    ],
)
def test_who_may_compose(world: World, role: str, status: int) -> None:
    body = composition(world)
    before = Release.objects.count()
    assert api_as(world.cast, role).post(URL, body, format="json").status_code == status
    assert Release.objects.count() == before + (status == 201)


def test_strangers_cannot_tell_the_project_from_one_that_does_not_exist(
    world: World, strangers: Cast
) -> None:
    stranger = api_as(strangers, "owner")
    for path in (
        "releases/",
        "environments/",
        "environments/production/policy/",
        "promotions/",
        "rollouts/",
        "deployments/",
        "features/assistant/active/",
    ):
        here = stranger.get(f"/api/v1/projects/acme/{path}")
        nowhere = stranger.get(f"/api/v1/projects/nowhere/{path}")
        assert (here.status_code, nowhere.status_code) == (404, 404), path
        assert here.json()["code"] == nowhere.json()["code"]


def test_nobody_is_401(world: World) -> None:
    from rest_framework.test import APIClient

    assert APIClient().get(URL).status_code == 401


def test_a_list_is_paged_by_cursor_newest_first_in_a_fixed_number_of_queries(
    world: World, count_queries: Any
) -> None:
    client = api_as(world.cast, "engineer")
    with count_queries() as with_one:
        client.get(URL)
    for _ in range(3):
        world.compose()
    with count_queries() as with_four:
        page = client.get(URL, {"page_size": 3}).json()
    assert len(with_four) <= len(with_one) <= 8
    assert [row["version"] for row in page["results"]] == ["1.3.0", "1.2.0", "1.1.0"]
    rest = client.get(page["next"]).json()
    assert [row["version"] for row in rest["results"]] == ["1.0.0"]
    assert rest["next"] is None


def test_active_is_the_stable_release_with_content_and_says_how_far_a_candidate_is(world: World) -> None:
    client = api_as(world.cast, "auditor")
    url = "/api/v1/projects/acme/features/assistant/active/"
    answer = client.get(url, {"environment": "production"}).json()
    assert answer["release"]["version"] == "1.0.0"
    assert answer["prompt"]["messages"][0]["role"] == "system"
    assert answer["model"]["model_id"] == "scripted-2026-01-01"
    assert "endpoint" not in answer["model"]
    assert answer["config"]["body"]["on_withdraw"] == "safe_mode"
    assert answer["rollout"] is None
    rollout = world.roll_out()
    candidate = client.get(url).json()["rollout"]
    assert candidate["weight_bp"] == 200
    assert candidate["candidate"]["digest"] == rollout.candidate.digest


def test_active_without_a_live_release_or_feature_is_404(world: World) -> None:
    client = api_as(world.cast, "auditor")
    Deployment.objects.update(stable_release=None)
    answer = client.get("/api/v1/projects/acme/features/assistant/active/")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_active_release")
    assert client.get("/api/v1/projects/acme/features/nothing/active/").status_code == 404
    assert client.get("/api/v1/projects/acme/features/assistant/active/?environment=moon").status_code == 404
