from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from promptstore.core import clock as clocks
from promptstore.core import keys
from promptstore.core.errors import InvalidInput, NotAllowed, NotFound
from promptstore.core.models import AuditEvent
from registry.models import SourceScan
from registry.scans import MAX_SITES, ReportedSite
from registry.selectors.scans import STALE_AFTER, coverage, history, is_stale, scan_by_id, sites_of
from registry.services.scans import report_scan
from tests.cast import Cast

OPEN = ReportedSite(fingerprint="1", path="a.py", line=1, api="openai responses.create", governed=False)
GOVERNED = ReportedSite(fingerprint="2", path="a.py", line=2, api="openai responses.create", governed=True)
IGNORED = ReportedSite(
    fingerprint="3", path="a.py", line=3, api="ollama chat", governed=False, ignored="offline"
)


def reported(cast: Cast, *sites: ReportedSite, source: str = "shop", role: str = "engineer") -> SourceScan:
    return report_scan(
        actor=cast.actor(role),
        project_id=cast.project.id,
        source=source,
        sites=sites,
        files=3,
        revision="abc",
    )


def test_a_scan_is_counted_and_recorded(cast: Cast) -> None:
    scan = reported(cast, OPEN, GOVERNED, IGNORED)
    assert (scan.governed, scan.ungoverned, scan.ignored) == (1, 1, 1)
    assert list(sites_of(scan_by_id(project_id=cast.project.id, scan_id=scan.id))) == [
        OPEN,
        GOVERNED,
        IGNORED,
    ]
    assert list(sites_of(scan, state="ungoverned")) == [OPEN]
    event = AuditEvent.objects.get(action="scan.reported")
    assert (event.object_label, (event.after or {})["ungoverned"]) == ("shop@abc", 1)


def test_the_latest_scan_of_each_source_counts_and_the_others_are_history(
    cast: Cast, clock: clocks.ManualClock
) -> None:
    reported(cast, OPEN, OPEN)
    clock.advance(hours=1)
    reported(cast, OPEN, source="bot")
    clock.advance(hours=1)
    reported(cast, OPEN, GOVERNED)
    found = coverage(project_id=cast.project.id)
    assert [scan.source for scan in found.latest] == ["bot", "shop"]
    assert (found.counts.governed, found.counts.ungoverned) == (1, 2)
    assert found.counts.share == pytest.approx(1 / 3)
    moments = [
        (moment.counts.governed, moment.counts.ungoverned) for moment in history(project_id=cast.project.id)
    ]
    assert moments == [(0, 2), (0, 3), (1, 2)]


def test_a_scan_that_arrives_late_does_not_become_the_latest(cast: Cast, clock: clocks.ManualClock) -> None:
    reported(cast, GOVERNED)
    report_scan(
        actor=cast.actor("engineer"), project_id=cast.project.id, source="shop", sites=[OPEN], files=1,
        scanned_at=clock.now() - timedelta(days=1),
    )  # fmt: skip
    assert coverage(project_id=cast.project.id).counts.governed == 1


def test_an_old_scan_is_called_old(cast: Cast, clock: clocks.ManualClock) -> None:
    scan = reported(cast, OPEN)
    assert not is_stale(scan)
    clock.advance(seconds=STALE_AFTER.total_seconds() + 1)
    assert is_stale(scan)
    assert coverage(project_id=cast.project.id).stale == 1


@pytest.mark.parametrize("role", ["annotator", "approver", "operator", "auditor"])
def test_only_those_who_build_report_scans(cast: Cast, role: str) -> None:
    with pytest.raises(NotAllowed):
        reported(cast, OPEN, role=role)
    assert not SourceScan.objects.exists()


def test_a_service_key_reports_scans_with_that_scope_alone(cast: Cast) -> None:
    for scopes, may in ((["scan"], True), (["serve", "release"], False)):
        _, secret = keys.create_service_key(
            actor=cast.actor("owner"), environment=cast.staging, name=scopes[0], scopes=scopes
        )
        actor = keys.actor_for_key(secret)
        assert actor is not None
        if may:
            assert (
                report_scan(actor=actor, project_id=cast.project.id, source="x", sites=[], files=0).files == 0
            )
        else:
            with pytest.raises(NotAllowed):
                report_scan(actor=actor, project_id=cast.project.id, source="x", sites=[], files=0)


def test_bad_reports_change_nothing(cast: Cast, clock: clocks.ManualClock) -> None:
    given = {"actor": cast.actor("engineer"), "project_id": cast.project.id, "files": 1}
    for wrong, field in (
        ({"source": " ", "sites": []}, "source"),
        ({"source": "x", "sites": [OPEN] * (MAX_SITES + 1)}, "sites"),
        ({"source": "x", "sites": [], "scanned_at": clock.now() + timedelta(hours=1)}, "scanned_at"),
        ({"source": "x", "sites": [], "revision": "\x00"}, "revision"),
    ):
        with pytest.raises(InvalidInput) as refused:
            report_scan(**given, **wrong)  # type: ignore[arg-type]
        assert refused.value.field == field
    assert not SourceScan.objects.exists()


def test_a_scan_never_changes(cast: Cast) -> None:
    scan = reported(cast, OPEN)
    with pytest.raises(DatabaseError), transaction.atomic():
        SourceScan.objects.filter(pk=scan.pk).update(governed=9)


def test_another_projects_scan_is_not_found(cast: Cast, strangers: Cast) -> None:
    scan = reported(cast, OPEN)
    with pytest.raises(NotFound):
        scan_by_id(project_id=strangers.project.id, scan_id=scan.id)
    assert coverage(project_id=strangers.project.id).latest == ()
