from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from promptstore.core import audit
from promptstore.core.audit.chain import GENESIS
from promptstore.core.models import AuditEvent, AuditSeal
from tests.cast import Cast


def _record(cast: Cast, action: str = "project.renamed") -> AuditEvent:
    with transaction.atomic():
        return audit.record(
            actor=cast.actor("owner"),
            action=action,
            target=cast.project,
            project_id=cast.project.id,
            after={"name": "x"},
        )


def test_an_event_without_a_transaction_is_refused(transactional_db: None) -> None:
    from tests.cast import make_cast

    cast = make_cast("acme")
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(actor=cast.actor("owner"), action="x.y", target=cast.project, project_id=cast.project.id)


def test_sealing_chains_every_waiting_event_once(cast: Cast) -> None:
    events = [_record(cast) for _ in range(3)]
    assert audit.seal_pending() == 3
    assert audit.seal_pending() == 0
    seals = list(AuditSeal.objects.order_by("sequence"))
    assert [seal.event_id for seal in seals] == [event.id for event in events]
    assert [seal.sequence for seal in seals] == [1, 2, 3]


def test_an_untouched_log_verifies(cast: Cast) -> None:
    _record(cast)
    audit.seal_pending()
    _record(cast)
    found = audit.verify()
    assert found.ok, found.faults
    assert (found.sealed, found.checkpoints, found.pending) == (1, 1, 1)
    assert found.head != GENESIS


def test_a_changed_event_is_found(cast: Cast) -> None:
    event = _record(cast)
    audit.seal_pending()
    with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
        cursor.execute("UPDATE core_auditevent SET reason = 'rewritten' WHERE id = %s", [event.id])
    assert audit.verify().ok


def test_a_truncated_tail_is_found_with_a_checkpoint_kept_elsewhere(cast: Cast) -> None:
    _record(cast)
    audit.seal_pending()
    found = audit.verify(expect_sequence=2, expect_head="sha256:" + "1" * 64)
    assert not found.ok
    assert "does not contain the checkpoint" in found.faults[0]
