from __future__ import annotations

from typing import Any

from releases.models import Release
from tests.releases.clients import page_as
from tests.world import World

URL = "/releases/compose/?feature=assistant"


def form(prompt_version: str, /, **changes: str) -> dict[str, str]:
    return {
        "prompt:assistant": prompt_version,
        "primary": "assistant",
        "model:primary": "small@1.0.0",
        "config": "assistant@1.0.0",
        "version": "",
        "changelog": "",
    } | changes


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def test_the_composer_starts_from_what_is_live(world: World) -> None:
    world.publish()
    found = page(page_as(world.cast, "writer").get(URL))
    assert "Live in production: 1.0.0" in found
    assert "1.0.0 · live" in found
    assert "1.0.1 · newer" in found
    assert "Nothing: this is what is live." in found


def test_comparing_says_the_difference_in_words_then_in_text_and_composes_nothing(world: World) -> None:
    version = world.publish("Suggest one entry as JSON. Be calm.").version
    found = page(page_as(world.cast, "writer").post(URL, form(version, intent="compare")))
    assert f"Prompt assistant 1.0.0 → {version}." in found
    assert "<ins>" in found
    assert "against live" in found
    assert Release.objects.count() == 1


def test_composing_leads_to_the_release(world: World) -> None:
    version = world.publish().version
    answer = page_as(world.cast, "writer").post(URL, form(version, changelog="Calmer."))
    release = Release.objects.get(version="1.1.0")
    assert (answer.status_code, answer["Location"]) == (302, f"/releases/{release.pk}/")


def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(world: World) -> None:
    version = world.publish().version
    client = page_as(world.cast, "writer")
    for wrong in ("0.9.0", "one"):
        found = page(client.post(URL, form(version, version=wrong, changelog="Kept.")), 422)
        assert "Kept." in found
        assert 'id="id_version_error"' in found
    assert Release.objects.count() == 1


def test_a_choice_that_does_not_exist_is_refused(world: World) -> None:
    found = page(page_as(world.cast, "writer").post(URL, form("7.0.0")), 422)
    assert "Select a valid choice" in found
    assert Release.objects.count() == 1


def test_who_may_not_compose_gets_403(world: World) -> None:
    assert page_as(world.cast, "auditor").get(URL).status_code == 403
    assert page_as(world.cast, "writer").get("/releases/compose/?feature=other").status_code == 404
