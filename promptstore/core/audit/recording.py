from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import models, transaction

from promptstore.core.actors import Actor
from promptstore.core.models import AuditEvent, AuditPending

log = structlog.get_logger("audit")


def record(
    *,
    actor: Actor,
    action: str,
    target: models.Model,
    project_id: UUID | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Append one event to the open transaction; `action` is `entity.past_participle`.

    Raises `TransactionManagementError` outside a transaction: an event without its change would be a lie.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "an audit event belongs into the transaction of its change"
        )
    event = AuditEvent.objects.create(
        project_id=project_id,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_name=actor.name[:160],
        action=action,
        object_type=target._meta.model_name or "",  # noqa: SLF001 - the documented model meta API
        object_id=str(target.pk),
        object_label=str(target)[:200],
        before=dict(before) if before is not None else None,
        after=dict(after) if after is not None else None,
        reason=reason,
    )
    AuditPending.objects.create(event=event)
    log.info(action, actor=actor.name, object_type=event.object_type, object_id=event.object_id)
    return event
