"""A check of the log that somebody asked for: begun at once, continued by workers, kept with its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from promptstore.core import clock, outbox
from promptstore.core.actors import Actor
from promptstore.core.audit.recording import record
from promptstore.core.audit.verifying import PIECE, Verification, verify_piece
from promptstore.core.models import AuditSeal, AuditVerification
from promptstore.core.permissions import require

MAX_FAULTS = 100  # kept with the result; `promptctl audit verify` lists all


def start_verification(*, actor: Actor, project_id: UUID, piece: int = PIECE) -> AuditVerification:
    """Check the whole log, and keep the result where the project's auditors find it.

    The first `piece` seals are checked here; what is longer goes on in workers. While one check is under way, that one is
    returned. Raises `NotAllowed`.
    """
    require(actor, "audit.read", project_id=project_id)
    with transaction.atomic():
        try:
            with transaction.atomic():
                verification = AuditVerification.objects.create(
                    project_id=project_id, asked_by=actor.name[:160], expected=_newest_sequence()
                )
        except IntegrityError:
            return _go_on(project_id, piece)
        _advance(verification, piece)
        record(actor=actor, action="verification.started", target=verification, project_id=project_id)
    return verification


def continue_verification(*, verification_id: UUID, after: int, piece: int = PIECE) -> None:
    """Check the `piece` seals that follow sequence `after`, under a lock on the check.

    Nothing happens when the check is finished or somewhere else by now: a message may come twice.
    """
    with transaction.atomic():
        verification = (
            AuditVerification.objects.select_for_update()
            .filter(pk=verification_id, finished_at__isnull=True, sequence=after)
            .first()
        )
        if verification is not None:
            _advance(verification, piece)


def latest_verification(*, project_id: UUID) -> AuditVerification | None:
    """The check that was asked for last in this project."""
    return AuditVerification.objects.filter(project_id=project_id).order_by("-id").first()


def handle(payload: Mapping[str, Any]) -> None:
    """The outbox's door to `continue_verification`."""
    continue_verification(verification_id=UUID(payload["verification_id"]), after=payload["after"])


def _go_on(project_id: UUID, piece: int) -> AuditVerification:
    """The check under way, one piece further: whoever asks again also revives one that workers gave up."""
    verification = AuditVerification.objects.select_for_update().filter(project_id=project_id).latest("id")
    if verification.finished_at is None:
        _advance(verification, piece)
    return verification


def _newest_sequence() -> int:
    newest = AuditSeal.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    return newest or 0


def _advance(verification: AuditVerification, piece: int) -> None:
    found = Verification.from_dict(verification.found)
    more = verify_piece(found, limit=piece)
    del found.faults[MAX_FAULTS:]
    verification.found = found.to_dict()
    verification.sequence = found.sequence
    verification.finished_at = None if more else clock.now()
    verification.save(update_fields=["found", "sequence", "finished_at"])
    if more:
        outbox.emit("audit.verify", {"verification_id": str(verification.pk), "after": found.sequence})
