from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from promptstore.console.search.commands import COMMANDS, matching_commands
from promptstore.console.search.marking import marked
from promptstore.core.permissions import Role
from registry.models import Prompt
from tests.cast import Cast
from tests.world import World

# However much the project holds: who asks and where, then each kind once or twice.
MOST_QUERIES = 28


def signed_in(cast: Cast, role: str) -> Client:
    client = Client()
    client.force_login(cast.users[role])
    return client


def listed(cast: Cast, role: str, query: str = "") -> str:
    answer = signed_in(cast, role).get("/search/palette/", {"q": query})
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_a_query_it_shows_what_is_new_and_what_can_be_done(world: World) -> None:
    world.roll_out()
    page = listed(world.cast, "writer")
    for words in ("Live rollout", "Recent release", "Recent prompt version", "Command", "New prompt"):
        assert words in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "ssist",
            [
                'aria-label="Feature"',
                'aria-label="Prompt"',
                'aria-label="Serving config"',
                "<mark>ssist</mark>",
            ],
        ),
        ("scripted", ['aria-label="Endpoint"']),
        ("new prom", ["New", "/prompts/new/"]),
        ("assistant@1.0.0", ["/prompts/assistant/versions/1.0.0/", 'aria-label="Release"']),
        ("no such thing", ["Nothing found", "hidden"]),
        ("\x00<b>", ["Nothing found"]),
    ],
)
def test_results_come_in_groups_with_the_match_marked(world: World, query: str, words: list[str]) -> None:
    page = listed(world.cast, "owner", query)
    for word in words:
        assert word in page
    assert "<b>" not in page


def test_commands_are_offered_to_those_who_may(cast: Cast) -> None:
    assert "New prompt" in listed(cast, "writer")
    assert "New prompt" not in listed(cast, "auditor")
    assert "/audit/" in listed(cast, "auditor", "open audit")
    assert "/audit/" not in listed(cast, "writer", "open audit")


def test_every_command_leads_to_a_page_and_is_named_once() -> None:
    for command in COMMANDS:
        if command.url_name == "releases:experiment_list":
            continue  # the rail, too, shows it once its page exists
        assert [
            one for one in matching_commands(command.label, frozenset(Role)) if one.title == command.label
        ]


def test_a_version_named_exactly_opens_at_once_where_one_thing_has_it(world: World) -> None:
    answer = signed_in(world.cast, "writer").get("/search/", {"q": "small@1.0.0"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/models/small/versions/1.0.0/")


def test_nothing_of_another_project_is_listed(world: World, strangers: Cast) -> None:
    rollout = world.roll_out()
    for query in (
        "",
        "assistant",
        "assistant@1.0.0",
        str(rollout.pk),
        rollout.candidate.digest,
        str(world.prompt.pk),
    ):
        page = listed(strangers, "owner", query)
        assert "assistant" not in page.replace("assistant@1.2.0", "").replace(f'data-query="{query}"', "")
        assert "/releases/rollouts/" not in page


def test_ids_of_every_kind_open_their_pages(world: World) -> None:
    client = signed_in(world.cast, "owner")
    for row, path in ((world.prompt, "/prompts/assistant/"), (world.feature, "/features/assistant/")):
        assert client.get("/search/", {"q": str(row.pk)}).headers["Location"] == path


def test_a_large_project_costs_no_more_queries(world: World, count_queries: Any) -> None:
    Prompt.objects.bulk_create(
        Prompt(project=world.cast.project, name=f"assistant-{number:05}") for number in range(2_000)
    )
    client = signed_in(world.cast, "owner")
    for query in ("", "assist", "assistant@1.0.0", "assistant 1.0.0", str(world.prompt.pk), "sha256:abcdef"):
        with count_queries() as seen:
            client.get("/search/palette/", {"q": query})
        assert len(seen) <= MOST_QUERIES, query


def test_strangers_to_all_projects_are_sent_to_sign_in(db: None) -> None:
    assert Client().get("/search/palette/").status_code == 302


@given(title=st.text(max_size=60), query=st.text(max_size=30))
def test_marking_loses_nothing(title: str, query: str) -> None:
    assert "".join(part.text for part in marked(title, query)) == title


def test_marking_finds_every_word_whatever_its_case() -> None:
    parts = marked("Config Assistant 1.2.0", "assistant@1.2")
    assert [part.text for part in parts if part.is_match] == ["Assistant", "1.2"]
