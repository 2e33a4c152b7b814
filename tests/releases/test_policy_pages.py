from __future__ import annotations

import html
import json
from typing import Any

import pytest

from releases import services
from releases.models import EnvironmentPolicy
from tests.releases.clients import page_as
from tests.world import RULES, World, production_policy

URL = "/releases/environments/production/policy/"


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def test_a_policy_reads_in_words(world: World) -> None:
    found = page(page_as(world.cast, "auditor").get(URL))
    assert (
        "Policy hits above 10\u00a0% over 2\u00a0min: rolls back in steps and opens a P1 incident." in found
    )
    assert (
        "Failed calls above 30\u00a0% over 1\u00a0min: takes all traffic away at once and opens a P1 incident."
        in found
    )
    assert "1\u00a0person, approver or owner, or appointed for the feature" in found
    assert "Edit</a>" not in found


def test_an_owner_puts_a_version_in_force_and_sees_what_it_changed(world: World) -> None:
    client = page_as(world.cast, "owner")
    body = json.dumps(production_policy(quorum=2))
    answer = client.post(URL, {"body": body, "reason": "Two people.", "number": "1"})
    assert (answer.status_code, answer["Location"]) == (302, URL)
    found = page(client.get(f"{URL}?version=2"))
    assert "What version 2 changed" in found
    assert "An earlier version" in page(client.get(f"{URL}?version=1"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "Line 1, column 2: this is not JSON"),
        ("[]", "A policy is a JSON object."),
        (json.dumps(production_policy(quorum=0)), "at least one person"),
        (json.dumps(production_policy(rules=[RULES[0] | {"when": "speed > 1"}])), "rules[0].when"),
        ('{"a": 1, "a": 2}', "names the same key twice"),
    ],
)
def test_a_policy_that_would_not_hold_is_refused_in_the_form_and_nothing_changes(
    world: World, body: str, words: str
) -> None:
    found = page(page_as(world.cast, "owner").post(URL, {"body": body, "reason": "Try.", "number": "1"}), 422)
    assert words in found
    assert 'id="id_body_error"' in found
    assert EnvironmentPolicy.objects.filter(environment=world.cast.production).count() == 1


def test_who_may_not_change_it_changes_nothing(world: World) -> None:
    form = {"body": json.dumps(production_policy(quorum=2)), "reason": "Mine.", "number": "1"}
    answer = page_as(world.cast, "engineer").post(URL, form)
    assert answer.status_code in {302, 403, 422}
    assert EnvironmentPolicy.objects.filter(environment=world.cast.production).count() == 1


def test_an_environment_without_a_policy_says_so(world: World) -> None:
    from promptstore.core.models import Environment

    Environment.objects.create(project=world.cast.project, slug="lab", name="Lab", kind="staging", position=5)
    assert "No policy yet" in page(page_as(world.cast, "owner").get(URL.replace("production", "lab")))
    assert page_as(world.cast, "owner").get(URL.replace("production", "moon")).status_code == 404


def test_the_rest_of_the_layout_keeps_its_own_names(world: World) -> None:
    """The layout's `places` (search, home) must not be shadowed by the page's context."""
    services.change_policy(
        actor=world.cast.actor("owner"),
        project_id=world.cast.project.pk,
        environment_id=world.cast.production.pk,
        body=production_policy(quorum=2),
    )
    assert 'action="/preferences/theme/"' in page(page_as(world.cast, "owner").get(URL))


def test_who_was_overtaken_loses_nothing_and_sees_both_texts(world: World) -> None:
    client = page_as(world.cast, "owner")
    assert '<input type="hidden" name="number" value="1"' in page(client.get(f"{URL}?edit"))
    theirs, mine = (json.dumps(production_policy(quorum=quorum)) for quorum in (2, 3))
    client.post(URL, {"body": theirs, "reason": "Two people.", "number": "1"})
    answer = client.post(URL, {"body": mine, "reason": "Three people.", "number": "1"})
    found = page(answer, 422)
    assert "put version 2 in force after you opened version 1" in found
    assert "Somebody was faster" in found
    assert html.escape(mine) in found
    assert "Three people." in found
    assert '<input type="hidden" name="number" value="2"' in found
    assert EnvironmentPolicy.objects.filter(environment=world.cast.production).count() == 2
    decided = client.post(URL, {"body": mine, "reason": "Three people.", "number": "2"})
    assert (decided.status_code, decided["Location"]) == (302, URL)


def test_a_form_that_does_not_say_what_it_is_based_on_changes_nothing(world: World) -> None:
    body = json.dumps(production_policy(quorum=2))
    page(page_as(world.cast, "owner").post(URL, {"body": body, "reason": "Two people."}), 422)
    assert EnvironmentPolicy.objects.filter(environment=world.cast.production).count() == 1
