from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from promptstore.console.audit.differences import MAX_MEMBERS, difference
from promptstore.console.audit.exports import csv_lines, json_lines, safe_cell
from promptstore.console.audit.query import read_query
from promptstore.console.audit.selectors import AuditFilter, audit_events
from promptstore.core import audit
from promptstore.core.models import AuditEvent
from tests.cast import Cast


def record(cast: Cast, action: str, *, role: str = "engineer", **fields: Any) -> AuditEvent:
    """One event on the project's production environment."""
    with transaction.atomic():
        return audit.record(
            actor=cast.actor(role),
            action=action,
            target=cast.production,
            project_id=cast.project.pk,
            **fields,
        )


@pytest.fixture
def page(client: Client, cast: Cast) -> Client:
    client.force_login(cast.users["auditor"])
    return client


def test_times_of_the_form_are_utc_and_the_later_start_counts() -> None:
    wanted = read_query(QueryDict("since=2026-03-02T09:00&until=2026-03-02T12:00%2B02:00")).wanted
    assert wanted.since == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert wanted.until == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_time_that_cannot_be_read_is_named_and_filters_nothing() -> None:
    query = read_query(QueryDict("since=yesterday"))
    assert query.wanted.since is None
    assert "yesterday" in query.problem


@given(st.text(max_size=300))
def test_whatever_stands_in_the_address_can_be_read(text: str) -> None:
    params = QueryDict(mutable=True)
    for name in ("who", "since", "until", "text", "range"):
        params[name] = text
    assert "\x00" not in read_query(params).asked["text"]


def test_pages_keep_the_filters(page: Client, cast: Cast) -> None:
    for _ in range(52):
        record(cast, "release.composed", reason="Quarterly.")
    record(cast, "prompt.published", reason="Another.")
    html = page.get(reverse("console:audit"), {"text": "quarterly", "who": "engineer"}).content.decode()
    assert html.count("composed the release") == 50
    assert "published the prompt" not in html
    link = next(part for part in html.split('"') if "cursor=older-" in part).replace("&amp;", "&")
    assert "text=quarterly" in link
    assert "who=engineer" in link
    rest = page.get(reverse("console:audit") + link).content.decode()
    assert rest.count("composed the release") == 2


def test_kinds_and_texts_narrow(page: Client, cast: Cast) -> None:
    record(cast, "release.composed", reason="Because of the 100% rule.")

    def seen(**query: str) -> bool:
        return "composed the release" in page.get(reverse("console:audit"), query).content.decode()

    assert seen(kind="environment")
    assert not seen(kind="release")
    assert seen(text="100%")
    assert not seen(text="1%0")
    assert seen(action="release")


def test_a_difference_names_members_and_leaves_out_what_stayed() -> None:
    found = difference(
        {"state": "running", "limits": {"timeout_ms": 5, "rate": 1}, "gone": True},
        {"state": "paused", "limits": {"timeout_ms": 9, "rate": 1}, "new": "a\nb"},
    )
    assert found.before == "state: running\nlimits.timeout_ms: 5\ngone: true"
    assert found.after == 'state: paused\nlimits.timeout_ms: 9\nnew: "a\\nb"'
    assert not difference({"a": 1}, {"a": 1})


def test_a_long_difference_says_how_much_is_left_out() -> None:
    assert difference(None, {str(number): number for number in range(MAX_MEMBERS + 3)}).more == 3


def test_an_event_with_both_sides_shows_two_columns_and_its_json(page: Client, cast: Cast) -> None:
    record(cast, "rollout.paused", before={"state": "running"}, after={"state": "<b>paused</b>"})
    html = page.get(reverse("console:audit")).content.decode()
    assert "ps-diff--split" in html
    assert "<b>paused</b>" not in html
    assert "&quot;action&quot;: &quot;rollout.paused&quot;" in html


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=1", "＝1"])
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "plain", "a=b", "1-2"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_a_csv_holds_what_the_page_shows_and_can_be_read_back(page: Client, cast: Cast) -> None:
    record(cast, "release.composed", reason='=HYPERLINK("http://example.org")\nsecond, line')
    record(cast, "prompt.published")
    audit.seal_pending()
    answer = page.get(reverse("console:audit_export", args=["csv"]), {"action": "release.composed"})
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    body = answer.getvalue().decode()
    (row,) = csv.DictReader(io.StringIO(body, newline=""))
    assert row["reason"] == '\'=HYPERLINK("http://example.org")\nsecond, line'
    assert (row["sequence"], row["actor_name"]) == ("1", "engineer@acme")
    assert row["chain_digest"].startswith("sha256:")


def test_json_lines_hold_every_event_across_chunks(
    cast: Cast, strangers: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptstore.console.audit.exports.CHUNK", 2)
    made = [record(cast, "release.composed", after={"n": number}) for number in range(4)]
    record(strangers, "release.composed")
    lines = list(json_lines(audit_events(project_id=cast.project.pk, wanted=AuditFilter())))
    assert [json.loads(line)["id"] for line in lines] == [str(event.pk) for event in reversed(made)]
    assert len(list(csv_lines(audit_events(project_id=cast.project.pk, wanted=AuditFilter())))) == 5


def test_an_export_needs_the_permission_and_a_known_format(client: Client, page: Client, cast: Cast) -> None:
    assert page.get(reverse("console:audit_export", args=["xlsx"])).status_code == 404
    client.force_login(cast.users["writer"])
    assert client.get(reverse("console:audit_export", args=["csv"])).status_code == 403
    assert client.get(reverse("console:audit_verification")).status_code == 403


def test_an_empty_log_teaches(page: Client) -> None:
    assert (
        "Every change in this project is written here" in page.get(reverse("console:audit")).content.decode()
    )


@pytest.mark.parametrize("column", ["actor_name", "object_label", "reason"])
def test_parts_of_words_are_found_through_an_index(db: None, column: str) -> None:
    """That the index can answer at all; whether it is worth it, Postgres knows better with a year of events."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = AuditEvent.objects.filter(**{f"{column}__icontains": "word"}).explain()
    assert "audit_by_words" in plan, plan
