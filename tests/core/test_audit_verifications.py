"""A check of the log in pieces: bounded, continued by workers, found again, and the same as the check in one go."""

from __future__ import annotations

import pytest
from django.db import transaction

from promptstore.core import audit
from promptstore.core.audit.verifications import continue_verification, handle, start_verification
from promptstore.core.audit.verifying import Verification, verify_piece
from promptstore.core.errors import NotAllowed
from promptstore.core.models import AuditEvent, AuditVerification, OutboxMessage
from tests.cast import Cast


def seal(cast: Cast, count: int) -> None:
    """`count` events, each in a batch of its own."""
    for _ in range(count):
        with transaction.atomic():
            audit.record(
                actor=cast.actor("owner"), action="x.done", target=cast.project, project_id=cast.project.pk
            )
        audit.seal_pending()


def start(cast: Cast, piece: int = 2) -> AuditVerification:
    return start_verification(actor=cast.actor("auditor"), project_id=cast.project.pk, piece=piece)


def test_pieces_find_what_one_go_finds(cast: Cast) -> None:
    seal(cast, 5)
    result = Verification()
    pieces = 1
    while verify_piece(result, limit=2):
        pieces += 1
        result = Verification.from_dict(result.to_dict())
    assert pieces == 3
    assert result == audit.verify()
    assert (result.sealed, result.checkpoints, result.sequence, result.first_bad) == (5, 5, 5, None)


def test_a_long_log_goes_on_in_workers_and_keeps_its_result(cast: Cast) -> None:
    seal(cast, 5)
    verification = start(cast)
    assert (verification.finished_at, verification.sequence, verification.expected) == (None, 2, 5)
    while message := OutboxMessage.objects.filter(topic="audit.verify").order_by("-id").first():
        payload = message.payload
        message.delete()
        handle(payload)
    verification.refresh_from_db()
    assert verification.finished_at is not None
    found = Verification.from_dict(verification.found)
    assert found.ok
    assert found.head == audit.verify().head


def test_a_message_that_comes_twice_does_nothing_more(cast: Cast) -> None:
    seal(cast, 5)
    verification = start(cast)
    for _ in range(2):
        continue_verification(verification_id=verification.pk, after=2, piece=2)
    verification.refresh_from_db()
    assert verification.sequence == 4
    assert OutboxMessage.objects.filter(topic="audit.verify").count() == 2


def test_asking_again_goes_on_with_the_check_under_way(cast: Cast) -> None:
    seal(cast, 6)
    first = start(cast)
    again = start(cast)
    assert (again.pk, again.sequence) == (first.pk, 4)
    assert AuditEvent.objects.filter(action="verification.started").count() == 1


def test_each_project_has_checks_of_its_own(cast: Cast, strangers: Cast) -> None:
    seal(cast, 3)
    assert start(cast).pk != start(strangers).pk


def test_who_may_not_read_the_log_starts_nothing(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        start_verification(actor=cast.actor("writer"), project_id=cast.project.pk)
    assert not AuditVerification.objects.exists()
    assert not AuditEvent.objects.exists()
