from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from promptstore.console.search.by_name import split_version
from promptstore.console.search.views import search
from promptstore.core.errors import NotAllowed
from promptstore.core.models import Membership
from telemetry.models import Inference
from tests.cast import Cast
from tests.traffic import record
from tests.world import World


def ask(cast: Cast, role: str, rf: Any, query: str) -> Any:
    request = rf.get("/search/", {"q": query})
    request.user = cast.users[role]
    request.session = {}
    request.actor = cast.actor(role)
    request.project = cast.project
    request.environment = cast.production
    return search(request)


def found(cast: Cast, role: str, rf: Any, query: str) -> str:
    answer = ask(cast, role, rf, query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_pasted_id_opens_its_object(world: World, rf: Any) -> None:
    rollout = world.roll_out()
    for wanted, path in (
        (rollout.pk, f"/releases/rollouts/{rollout.pk}/"),
        (rollout.promotion_id, f"/releases/promotions/{rollout.promotion_id}/"),
        (rollout.candidate_id, f"/releases/{rollout.candidate_id}/"),
        (rollout.deployment_id, f"/releases/deployments/{rollout.deployment_id}/"),
    ):
        answer = ask(world.cast, "writer", rf, f"  {wanted} ")
        assert (answer.status_code, answer["Location"]) == (302, path)


def test_an_inference_is_found_only_by_who_may_read_it(world: World, rf: Any) -> None:
    record(world.roll_out(), "candidate", 1)
    inference = Inference.objects.get()
    answer = ask(world.cast, "auditor", rf, str(inference.pk))
    assert answer["Location"] == f"/inferences/{inference.pk}/"
    assert "Nothing found" in found(world.cast, "writer", rf, str(inference.pk))


def test_a_digest_or_its_beginning_finds_what_it_stands_for(world: World, rf: Any) -> None:
    release = world.compose()
    whole = ask(world.cast, "auditor", rf, release.digest)
    assert whole["Location"] == f"/releases/{release.pk}/"
    beginning = release.digest.removeprefix("sha256:")[:10]
    assert f"/releases/{release.pk}/" in found(world.cast, "auditor", rf, beginning)
    prompt = release.manifest["prompts"][0]
    assert f"assistant@{prompt['version']}" in found(world.cast, "auditor", rf, prompt["digest"][:20])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("assist", ["Feature", "Prompt", "Serving config"]),
        ("assistant 1.0.0", ["assistant 1.0.0", "Release"]),
        ("small 1.0.0", ["small 1.0.0", "Model"]),
        ("1.0", ["assistant 1.0.0"]),
        ("operator@", ["Person", "operator"]),
        ("no such thing", ["Nothing found"]),
        ("", ["What are you looking for?"]),
        ("\x00", ["What are you looking for?"]),
        ("<script>", ["Nothing found", "&lt;script&gt;"]),
        ("x" * 5_000, ["Nothing found"]),
    ],
)
def test_names_and_versions_find_their_objects(world: World, rf: Any, query: str, words: list[str]) -> None:
    page = found(world.cast, "auditor", rf, query)
    for word in words:
        assert word in page
    assert "<script>alert" not in page


def test_another_project_is_never_searched(world: World, strangers: Cast, rf: Any) -> None:
    rollout = world.roll_out()
    for query in (str(rollout.pk), rollout.candidate.digest, "assistant", "engineer@acme"):
        assert "Nothing found" in found(strangers, "owner", rf, query)


def test_an_id_of_nothing_is_said(world: World, rf: Any) -> None:
    assert "Nothing found" in found(world.cast, "owner", rf, str(uuid4()))


def test_a_member_without_a_role_may_not_search(world: World, rf: Any) -> None:
    Membership.objects.filter(user=world.cast.users["writer"]).update(roles=[])
    with pytest.raises(NotAllowed):
        ask(world.cast, "writer", rf, "assistant")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("assistant@1.2.0", ("assistant", "1.2.0")),
        ("assistant v1.2", ("assistant", "1.2")),
        ("1.2.0", ("", "1.2.0")),
        ("config assistant", ("config assistant", "")),
        ("", ("", "")),
        ("v", ("v", "")),
    ],
)
def test_a_query_is_split_into_name_and_version(text: str, parts: tuple[str, str]) -> None:
    assert split_version(text) == parts
