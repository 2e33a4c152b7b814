from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from promptstore.console.audit.selectors import AuditFilter
from promptstore.console.audit.sentences import sentence
from promptstore.console.audit.services import export_events
from promptstore.core import audit
from promptstore.core.errors import NotAllowed
from promptstore.core.models import AuditEvent
from tests.cast import Cast


def record(cast: Cast, action: str) -> None:
    with transaction.atomic():
        audit.record(
            actor=cast.actor("engineer"), action=action, target=cast.production, project_id=cast.project.pk
        )


def test_an_export_is_recorded_with_its_filters_and_its_size(client: Client, cast: Cast) -> None:
    for action in ("release.composed", "release.composed", "rollout.paused"):
        record(cast, action)
    client.force_login(cast.users["auditor"])
    answer = client.get(reverse("console:audit_export", args=["jsonl"]), {"action": "release.composed"})
    assert len(answer.getvalue().splitlines()) == 2
    event = AuditEvent.objects.get(action="audit.exported")
    assert event.actor_name == "auditor@acme"
    assert event.after == {"format": "jsonl", "filters": {"action": "release.composed"}, "events": 2}


def test_an_export_does_not_hold_its_own_record_and_the_next_one_does(cast: Cast) -> None:
    record(cast, "release.composed")
    wanted = AuditFilter(since=datetime(2020, 1, 1, tzinfo=UTC))
    counts = [
        len(
            export_events(
                actor=cast.actor("auditor"), project_id=cast.project.pk, wanted=wanted, ending="csv"
            )
        )
        for _ in range(2)
    ]
    assert counts == [1, 2]
    newest = AuditEvent.objects.order_by("-id").first()
    assert newest is not None
    assert newest.after is not None
    assert newest.after["filters"] == {"since": "2020-01-01T00:00:00+00:00"}


def test_a_refused_export_is_no_export(client: Client, cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        export_events(
            actor=cast.actor("writer"), project_id=cast.project.pk, wanted=AuditFilter(), ending="csv"
        )
    client.force_login(cast.users["auditor"])
    assert client.get(reverse("console:audit_export", args=["xlsx"])).status_code == 404
    assert client.head(reverse("console:audit_export", args=["csv"])).status_code == 405
    assert not AuditEvent.objects.filter(action="audit.exported").exists()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"state": "approved", "quorum": 2}, "gave X the approval that completed its quorum (2 of 2)"),
        ({"state": "approved", "quorum": 0}, "approved X: the policy asks nobody"),
        (None, "gave X the approval that completed its quorum"),
    ],
)
def test_an_approval_says_whose_vote_completed_what(after: dict[str, object] | None, expected: str) -> None:
    assert sentence("promotion.approved", "X", after) == expected
