"""Reading the log one page at a time leaves no trace; taking it away as a file does."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from promptstore.console.audit.selectors import AuditFilter, audit_events
from promptstore.core import audit
from promptstore.core.actors import Actor
from promptstore.core.models import AuditEvent, Project
from promptstore.core.permissions import require


def export_events(
    *, actor: Actor, project_id: UUID, wanted: AuditFilter, ending: str
) -> QuerySet[AuditEvent]:
    """The events to write into a file that ends in `ending`, newest first; that they were taken is itself recorded.

    The record names the filters and the number of events. It is not among them. Raises `NotAllowed`.
    """
    require(actor, "audit.read", project_id=project_id)
    with transaction.atomic():
        events = audit_events(project_id=project_id, wanted=wanted)
        count = events.count()
        record = audit.record(
            actor=actor,
            action="audit.exported",
            target=Project.objects.get(pk=project_id),
            project_id=project_id,
            after={"format": ending, "filters": _filters(wanted), "events": count},
        )
    return events.filter(pk__lt=record.pk)


def _filters(wanted: AuditFilter) -> dict[str, str]:
    """Those that were set; times in ISO 8601."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in asdict(wanted).items()
        if value
    }
