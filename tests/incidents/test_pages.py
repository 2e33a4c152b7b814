from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from incidents.models import Incident, IncidentEntry
from incidents.states import IncidentState
from tests.cast import Cast
from tests.incidents.incident_cast import opened

SAID = "Policy hits are at 4 %, above the limit of 0.5 %."
EVIDENCE: dict[str, Any] = {
    "candidate": {"release": "config-assistant 1.1.0", "digest": "sha256:b"},
    "stable": None,
    "weight_bp": 1000,
    "step": 2,
    "rules": [
        {
            "id": "policy-hits",
            "when": "policy_filter_rate > 0.5% for 10m",
            "evaluation": {
                "conditions": [
                    {
                        "metric": "p95_latency_ms",
                        "verdict": "pass",
                        "sentence": "Fast enough.",
                        "limit": 900.0,
                    },
                    {
                        "metric": "policy_filter_rate",
                        "verdict": "fail",
                        "sentence": SAID,
                        "limit": 0.005,
                        "window_s": 600,
                    },
                ]
            },
        }
    ],
    "charts": {
        name: {
            "unit": unit,
            "x": [600, 660],
            "series": [{"key": "candidate", "label": "Candidate", "values": [0, 1]}],
        }
        for name, unit in (("p95_latency_ms", "ms"), ("policy_filter_rate", "percent"))
    },
    "samples": [
        {
            "id": "01a20c2a-7a67-783f-8957-c9af6aa2de6d",
            "metric": "policy_filter_rate",
            "variables": {"question": "<img src=x onerror=alert(1)>"},
            "output": "<script>alert(1)</script>",
            "policy_reasons": ["secret"],
        }
    ],
}


def signed_in(client: Client, cast: Cast, role: str = "operator") -> Client:
    client.force_login(cast.users[role])
    return client


def url(incident: Incident, name: str = "incident_detail", *more: str) -> str:
    return reverse(f"incidents:{name}", args=[incident.pk, *more])


def test_a_visitor_signs_in_first(client: Client, cast: Cast) -> None:
    answer = client.get(reverse("incidents:incident_list"))
    assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("login"))  # type: ignore[attr-defined]


def test_the_list_shows_what_is_not_resolved_and_filters(client: Client, cast: Cast) -> None:
    opened(cast, title="Grave one")
    gone = opened(cast, title="Old one", severity="P3", dedup_key="old")
    Incident.objects.filter(pk=gone.pk).update(state=IncidentState.RESOLVED)
    signed_in(client, cast)
    listed = {
        query: client.get(f"{reverse('incidents:incident_list')}{query}").content.decode()
        for query in ("", "?state=all", "?state=resolved", "?state=all&severity=P3", "?state=nonsense")
    }
    shown = {query: ("Grave one" in page, "Old one" in page) for query, page in listed.items()}
    assert shown == {
        "": (True, False),
        "?state=all": (True, True),
        "?state=resolved": (False, True),
        "?state=all&severity=P3": (False, True),
        "?state=nonsense": (True, True),
    }


def test_an_empty_list_says_that_nothing_is_wrong(client: Client, cast: Cast) -> None:
    assert (
        "Nothing is wrong" in signed_in(client, cast).get(reverse("incidents:incident_list")).content.decode()
    )


def test_the_report_shows_timeline_evidence_and_texts_as_text(client: Client, cast: Cast) -> None:
    incident = opened(cast, evidence=EVIDENCE)
    page = signed_in(client, cast).get(url(incident)).content.decode()
    assert page.count(SAID) >= 2
    assert page.index("Fast enough.") > page.index(SAID)
    assert page.index('id="evidence-policy_filter_rate"') < page.index('id="evidence-p95_latency_ms"')
    assert '"limit": {"value": 0.005, "label": "Limit", "breach": "above"}' in page
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "onerror=alert(1)&gt;" in page
    assert "Withdrawn units get the stable release again" in page


def test_samples_are_for_those_who_may_read_inferences(client: Client, cast: Cast) -> None:
    incident = opened(cast, evidence=EVIDENCE)
    page = signed_in(client, cast, "writer").get(url(incident)).content.decode()
    assert "alert(1)" not in page
    assert "Your role may not read inputs and outputs" in page


def test_buttons_are_there_for_those_who_may_press_them(client: Client, cast: Cast) -> None:
    incident = opened(cast)
    shown = {
        role: signed_in(client, cast, role).get(url(incident)).content.decode()
        for role in ("engineer", "owner", "auditor")
    }
    assert {role: ("Acknowledge…" in page, "Mitigate…" in page) for role, page in shown.items()} == {
        "engineer": (True, False),
        "owner": (True, True),
        "auditor": (False, False),
    }


@pytest.mark.parametrize(
    "evidence", [{}, {"charts": {"unknown_metric": {"x": []}}, "samples": [{}], "rules": [{}]}]
)
def test_thin_evidence_still_makes_a_page(client: Client, cast: Cast, evidence: dict[str, Any]) -> None:
    incident = opened(cast, evidence=evidence)
    assert signed_in(client, cast, "writer").get(url(incident)).status_code == 200
    assert signed_in(client, cast, "operator").get(url(incident)).status_code == 200


def test_acting_moves_the_incident_and_a_refusal_changes_nothing(client: Client, cast: Cast) -> None:
    incident = opened(cast)
    signed_in(client, cast)
    answer = client.post(url(incident, "incident_act", "mitigate"), {"reason": "All on stable."})
    assert (answer.status_code, answer.headers["Location"]) == (302, url(incident))
    incident.refresh_from_db()
    assert incident.state == IncidentState.MITIGATED
    assert client.post(url(incident, "incident_act", "mitigate"), {"reason": "again"}).status_code == 409
    assert client.post(url(incident, "incident_act", "vanish")).status_code == 404
    assert client.get(url(incident, "incident_act", "resolve")).status_code == 405
    signed_in(client, cast, "writer")
    assert client.post(url(incident, "incident_act", "resolve"), {"reason": "x"}).status_code == 403
    incident.refresh_from_db()
    assert incident.state == IncidentState.MITIGATED


def test_a_comment_is_added_and_an_empty_one_is_not(client: Client, cast: Cast) -> None:
    incident = opened(cast)
    signed_in(client, cast, "writer")
    assert client.post(url(incident, "incident_comment"), {"text": "Seen by <us>."}).status_code == 302
    assert client.post(url(incident, "incident_comment"), {"text": " "}).status_code == 400
    assert IncidentEntry.objects.filter(kind="commented").count() == 1
    assert "Seen by &lt;us&gt;." in client.get(url(incident)).content.decode()


def test_the_timeline_is_sent_again_only_when_something_happened(client: Client, cast: Cast) -> None:
    incident = opened(cast)
    signed_in(client, cast)
    first = client.get(url(incident, "incident_live"))
    etag = first.headers["ETag"]
    assert client.get(url(incident, "incident_live"), headers={"If-None-Match": etag}).status_code == 304
    opened(cast, summary="Again.")
    second = client.get(url(incident, "incident_live"), headers={"If-None-Match": etag})
    assert (second.status_code, "Again." in second.content.decode()) == (200, True)
    for action in ("mitigate", "resolve"):
        client.post(url(incident, "incident_act", action), {"reason": "done"})
    assert client.get(url(incident, "incident_live")).status_code == 286


def test_another_projects_incident_is_not_found(client: Client, cast: Cast, strangers: Cast) -> None:
    incident = opened(cast)
    signed_in(client, strangers, "owner")
    assert client.get(url(incident)).status_code == 404
    assert client.get(url(incident, "incident_live")).status_code == 404
    assert client.post(url(incident, "incident_act", "mitigate")).status_code == 404
