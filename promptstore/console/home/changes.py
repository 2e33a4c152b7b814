"""What changed since yesterday? The audit log's sentences, without what people may not read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.fields.json import KeyTransform

from promptstore.console.audit.sentences import sentence
from promptstore.core import clock
from promptstore.core.actors import Actor
from promptstore.core.http.links import page_url
from promptstore.core.models import AuditEvent
from promptstore.core.permissions import allows

SINCE = timedelta(hours=24)
LIMIT = 14

# What every member may know happened; the rest (keys, memberships, endpoints) is for readers of the audit log.
_OPEN_TO_ALL = (
    "prompt",
    "model",
    "config",
    "release",
    "promotion",
    "rollout",
    "deployment",
    "incident",
    "policy",
)
_PAGES = {
    "release": "releases:release_detail",
    "promotion": "releases:promotion_detail",
    "rollout": "releases:rollout_detail",
    "deployment": "releases:deployment_detail",
    "incident": "incidents:incident_detail",
}
# Steps that only lead from one told event to the next.
_UNTOLD = ("promotion.check_started", "promotion.started", "promotion.completed", "promotion.superseded")


@dataclass(frozen=True)
class Change:
    """`text` follows the actor's name."""

    at: datetime
    actor: str
    text: str
    url: str
    icon: str
    tone: str


def changes(actor: Actor, project_id: UUID) -> list[Change]:
    """The latest fourteen events of the last 24 hours, newest first."""
    rows = AuditEvent.objects.filter(project_id=project_id, at__gte=clock.now() - SINCE).exclude(
        action__in=_UNTOLD
    )
    if not allows(actor, "audit.read", project_id=project_id):
        kinds = "|".join(_OPEN_TO_ALL)
        rows = rows.filter(action__regex=rf"^({kinds})\.")
    rows = rows.defer("before", "after").annotate(quorum=KeyTransform("quorum", "after"))
    return [_change(row, row.quorum) for row in rows.order_by("-id")[:LIMIT]]


_LOOKS = {
    "prompt": ("prompt", "neutral"),
    "model": ("model", "neutral"),
    "release": ("release", "neutral"),
    "promotion": ("promotion", "accent"),
    "rollout": ("rollout", "accent"),
    "deployment": ("server", "good"),
    "incident": ("incident", "harm"),
    "policy": ("certificate", "neutral"),
}
_TONES = {
    "rollout.completed": "good",
    "rollout.rollback_started": "harm",
    "rollout.stepped_down": "harm",
    "rollout.cut": "harm",
    "rollout.rolled_back": "harm",
    "promotion.rolled_back": "harm",
    "promotion.checks_failed": "wait",
    "incident.resolved": "good",
    "incident.mitigated": "good",
}


def _change(row: AuditEvent, quorum: int | None) -> Change:
    icon, tone = _LOOKS.get(row.action.partition(".")[0], ("circle-dot", "neutral"))
    page = _PAGES.get(row.object_type)
    return Change(
        at=row.at,
        actor=row.actor_name,
        text=sentence(row.action, row.object_label, {"quorum": quorum}),
        url=page_url(page, UUID(row.object_id)) if page else "",
        icon=icon,
        tone=_TONES.get(row.action, tone),
    )
