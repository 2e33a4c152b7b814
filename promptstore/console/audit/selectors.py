"""Reads of the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from promptstore.core import clock
from promptstore.core.models import AuditEvent

RANGES = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to show; empty members filter nothing.

    `who` and `what` are parts of the actor's and the object's name; `text` is part of either or of the reason; `kind` is an
    object's type.
    """

    who: str = ""
    action: str = ""
    what: str = ""
    kind: str = ""
    object_id: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def audit_events(*, project_id: UUID, wanted: AuditFilter) -> QuerySet[AuditEvent]:
    """A project's events with their seals, newest first. `action` is one action, or a kind such as `release`."""
    found = AuditEvent.objects.filter(project_id=project_id).select_related("seal")
    if wanted.who:
        found = found.filter(actor_name__icontains=wanted.who)
    if wanted.action:
        exact = {"action": wanted.action}
        found = found.filter(**exact if "." in wanted.action else {"action__startswith": f"{wanted.action}."})
    if wanted.what:
        found = found.filter(object_label__icontains=wanted.what)
    if wanted.text:
        found = found.filter(
            Q(object_label__icontains=wanted.text)
            | Q(reason__icontains=wanted.text)
            | Q(actor_name__icontains=wanted.text)
        )
    if wanted.kind:
        found = found.filter(object_type=wanted.kind)
    if wanted.object_id:
        found = found.filter(object_id=wanted.object_id)
    if wanted.since:
        found = found.filter(at__gte=wanted.since)
    if wanted.until:
        found = found.filter(at__lte=wanted.until)
    return found.order_by("-id")


def since_of(name: str) -> datetime | None:
    """The start of a range by its name in `RANGES`; `None` for any other."""
    return clock.now() - RANGES[name] if name in RANGES else None
