from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from promptstore.core import clock
from promptstore.core.errors import NotFound
from registry.models import SourceScan
from registry.scans import Counts, ReportedSite

# A source that changes daily and was not scanned for this long may hold calls that nobody has seen.
STALE_AFTER = timedelta(days=14)
MAX_SOURCES = 500
MAX_HISTORY = 1_000


@dataclass(frozen=True)
class Coverage:
    """The latest scan of every source, and what they add up to."""

    latest: tuple[SourceScan, ...]
    counts: Counts
    stale: int


@dataclass(frozen=True)
class Moment:
    """What all sources added up to once the scan at `at` was in."""

    at: datetime
    counts: Counts


def scans(*, project_id: UUID, source: str = "") -> QuerySet[SourceScan]:
    """A project's scans, newest first, without their call sites."""
    rows = SourceScan.objects.filter(project_id=project_id).defer("sites", "unread").order_by("-id")
    return rows.filter(source=source) if source else rows


def scan_by_id(*, project_id: UUID, scan_id: UUID) -> SourceScan:
    """One scan with its call sites; raises `NotFound`."""
    found = SourceScan.objects.filter(project_id=project_id, pk=scan_id).first()
    if found is None:
        raise NotFound("There is no scan with this id in this project.", field="scan")
    return found


def coverage(*, project_id: UUID) -> Coverage:
    """The latest scan of each source, those with most ungoverned calls first."""
    rows = (
        scans(project_id=project_id).order_by("source", "-scanned_at", "-id").distinct("source")[:MAX_SOURCES]
    )
    latest = sorted(rows, key=lambda scan: (-scan.ungoverned, scan.source))
    counts = sum((counts_of(scan) for scan in latest), Counts(0, 0, 0))
    return Coverage(tuple(latest), counts, sum(is_stale(scan) for scan in latest))


def history(*, project_id: UUID, source: str = "") -> list[Moment]:
    """How the sums moved, oldest first, over the newest thousand scans: each scan replaces the one before of its source."""
    rows = list(scans(project_id=project_id, source=source).order_by("-scanned_at", "-id")[:MAX_HISTORY])
    current: dict[str, Counts] = {}
    found = []
    for scan in reversed(rows):
        current[scan.source] = counts_of(scan)
        found.append(Moment(scan.scanned_at, sum(current.values(), Counts(0, 0, 0))))
    return found


def counts_of(scan: SourceScan) -> Counts:
    return Counts(scan.governed, scan.ungoverned, scan.ignored)


def is_stale(scan: SourceScan) -> bool:
    """Whether the scan is too old to say what the source does today."""
    return scan.scanned_at < clock.now() - STALE_AFTER


def sites_of(scan: SourceScan, *, state: str = "") -> Sequence[ReportedSite]:
    """A scan's call sites by path and line, of one state or all."""
    sites = [ReportedSite(**site) for site in scan.sites]
    return [site for site in sites if not state or site.state == state]
