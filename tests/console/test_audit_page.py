from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from promptstore.console.audit.sentences import KINDS, SENTENCES, sentence, title
from promptstore.core import audit
from promptstore.core.actors import system
from promptstore.core.clock import ManualClock
from promptstore.core.models import AuditEvent
from tests.cast import Cast


def record(
    cast: Cast, action: str, *, role: str = "", before: str = "", after: str = "", reason: str = ""
) -> AuditEvent:
    """One event on the project's production environment."""
    with transaction.atomic():
        return audit.record(
            actor=cast.actor(role) if role else system("controller"),
            action=action,
            target=cast.production,
            project_id=cast.project.pk,
            before={"state": before} if before else None,
            after={"state": after} if after else None,
            reason=reason,
        )


@pytest.fixture
def page(client: Client, cast: Cast) -> Client:
    client.force_login(cast.users["auditor"])
    return client


def shown(client: Client, query: str = "") -> str:
    return client.get(f"{reverse('console:audit')}{query}").content.decode()


def test_events_are_sentences_with_before_and_after_on_demand(page: Client, cast: Cast) -> None:
    record(
        cast,
        "promotion.rejected",
        role="approver",
        before="awaiting_approval",
        after="rejected",
        reason="<b>No</b>",
    )
    html = shown(page)
    assert "approver@acme</span> rejected production" in html
    assert "“&lt;b&gt;No&lt;/b&gt;”" in html
    assert "Before → after" in html
    assert "sealed in a moment" in html
    audit.seal_pending()
    assert "sealed as no. 1" in shown(page)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("release.composed", "composed the release X"),
        ("budget.raised", "raised the budget X"),
        ("budget.alarm_raised", "alarm raised the budget X"),
        ("strange", "the strange X"),
    ],
)
def test_unknown_actions_are_read_from_their_names(action: str, expected: str) -> None:
    assert sentence(action, "X") == expected
    assert title(action)


def test_every_sentence_names_its_object_or_the_project() -> None:
    assert all("{object}" in text or "project" in text for text in SENTENCES.values())


def test_a_rollout_is_called_a_rollout_once() -> None:
    label = "rollout of assistant 1.1.0 in production"
    assert sentence("rollout.paused", label) == f"paused the {label}"
    assert sentence("rollout.frozen", label) == f"frozen the {label}"


def test_kinds_are_types_that_exist() -> None:
    known = {model._meta.model_name for model in apps.get_models()}
    assert set(KINDS) <= known


def test_a_label_with_braces_is_only_text() -> None:
    assert sentence("prompt.published", "{0} {object}") == "published the prompt {0} {object}"


def test_filters_narrow_by_person_action_object_and_time(
    page: Client, cast: Cast, clock: ManualClock
) -> None:
    record(cast, "release.composed", role="engineer")
    clock.advance(days=2)
    other = record(cast, "rollout.paused", role="operator")

    def seen(query: str) -> tuple[bool, bool]:
        html = shown(page, query)
        return "composed the release" in html, "paused the production" in html

    assert seen("?who=engineer") == (True, False)
    assert seen("?action=rollout.paused") == (False, True)
    assert seen("?what=production") == (True, True)
    assert seen(f"?object={other.object_id}") == (True, True)
    assert seen("?range=day") == (False, True)
    assert seen("?range=nonsense") == (True, True)
    assert "Nothing matches" in shown(page, "?who=nobody")


def test_verifying_says_that_the_log_is_whole(page: Client, cast: Cast) -> None:
    record(cast, "release.composed", role="engineer")
    audit.seal_pending()
    html = page.post(reverse("console:audit_verify"), follow=True).content.decode()
    assert "The log is whole" in html
    assert "Sealed up to no. 1" in html
    assert "The log is whole" in shown(page), "the result is found again"
    assert page.get(reverse("console:audit_verify")).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_verifying_finds_a_change_made_behind_the_products_back(client: Client) -> None:
    from django.conf import settings

    from tests.cast import make_cast
    from tests.conftest import _connect_as

    cast = make_cast("acme")
    record(cast, "release.composed", role="engineer")
    audit.seal_pending()
    _connect_as(settings.DATABASE_OWNER_URL)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE core_auditevent SET actor_name = 'somebody else'")
        cursor.execute("ALTER TABLE core_auditevent ENABLE TRIGGER USER")
    _connect_as(settings.DATABASE_URL)
    client.force_login(cast.users["auditor"])
    html = client.post(reverse("console:audit_verify"), follow=True).content.decode()
    assert "tampered with" in html
    assert "The first fault is at no. 1" in html
    assert "sequence 1" in html


def test_only_those_who_may_read_the_log_see_it(client: Client, cast: Cast) -> None:
    client.force_login(cast.users["writer"])
    assert client.get(reverse("console:audit")).status_code == 403
    assert client.post(reverse("console:audit_verify")).status_code == 403
    assert client.get("/api/v1/projects/acme/audit/").status_code == 403


def test_other_projects_events_are_not_shown(page: Client, cast: Cast, strangers: Cast) -> None:
    record(strangers, "release.composed", role="owner")
    assert "umbrella" not in shown(page)
    assert page.get("/api/v1/projects/umbrella/audit/").status_code == 404


def test_the_api_pages_and_filters(page: Client, cast: Cast, clock: ManualClock) -> None:
    for _ in range(3):
        record(cast, "rollout.paused", role="operator", before="running", after="paused")
        clock.advance(hours=1)
    record(cast, "release.composed")
    audit.seal_pending()
    base = "/api/v1/projects/acme/audit/"
    first = page.get(f"{base}?page_size=2&action=rollout").json()
    rest = page.get(first["next"]).json()
    assert [len(part["results"]) for part in (first, rest)] == [2, 1]
    event = first["results"][0]
    assert event["actor"]["name"] == "operator@acme"
    assert event["object"]["name"] == "production"
    assert (event["before"], event["seal"]["sequence"]) == ({"state": "running"}, 3)
    since = page.get(base, {"since": "2026-03-02T11:30:00Z"}).json()["results"]
    assert [one["action"] for one in since] == ["release.composed"]
    refused = page.get(base, {"since": "yesterday"})
    assert (refused.status_code, refused.json()["field"]) == (400, "since")
