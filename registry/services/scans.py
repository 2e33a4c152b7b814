from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from promptstore.core import audit, clock
from promptstore.core.actors import Actor
from promptstore.core.errors import InvalidInput
from promptstore.core.permissions import require
from registry.models import SourceScan
from registry.names import check_text
from registry.scans import MAX_SITES, MAX_UNREAD, ReportedSite, counted

# A scanner's clock may be this far ahead of ours.
MAX_AHEAD = timedelta(minutes=5)


@transaction.atomic
def report_scan(
    *,
    actor: Actor,
    project_id: UUID,
    source: str,
    sites: Sequence[ReportedSite],
    files: int,
    revision: str = "",
    scanned_at: datetime | None = None,
    unread: Sequence[str] = (),
) -> SourceScan:
    """Keep what a scan of `source` found; the scans before stay as its history.

    `unread` names files that could not be read, with the reason. Raises `InvalidInput` for more than 2,000 sites, for a time in
    the future and for a source without a name; `NotAllowed`.
    """
    require(actor, "scan.report", project_id=project_id)
    name = check_text(source, field="source", max_chars=200, required=True)
    now = clock.now()
    moment = scanned_at or now
    if moment > now + MAX_AHEAD:
        raise InvalidInput(
            "A scan cannot come from the future. Check the scanner's clock.", field="scanned_at"
        )
    if len(sites) > MAX_SITES:
        raise InvalidInput(
            f"{len(sites):,} call sites; at most {MAX_SITES:,} are kept of one scan. Report parts of the tree as sources.",
            field="sites",
        )
    counts = counted(sites)
    scan = SourceScan.objects.create(
        project_id=project_id,
        source=name,
        revision=check_text(revision, field="revision", max_chars=80),
        scanned_at=moment,
        files=files,
        governed=counts.governed,
        ungoverned=counts.ungoverned,
        ignored=counts.ignored,
        sites=[site.stored() for site in sites],
        unread=list(unread[:MAX_UNREAD]),
        reported_by=actor.name[:160],
    )
    audit.record(
        actor=actor,
        action="scan.reported",
        target=scan,
        project_id=project_id,
        after={
            "source": name,
            "revision": scan.revision,
            "governed": counts.governed,
            "ungoverned": counts.ungoverned,
            "ignored": counts.ignored,
        },
    )
    return scan
