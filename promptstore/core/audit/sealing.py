from __future__ import annotations

from django.db import connection, transaction

from promptstore.core import crypto
from promptstore.core.audit.chain import GENESIS, checkpoint_message, event_digest, link
from promptstore.core.killpoints import KillPoint, reach
from promptstore.core.models import AuditCheckpoint, AuditPending, AuditSeal

_LOCK = 0x5EA1


def seal_pending(*, limit: int = 1000) -> int:
    """Order, chain and sign up to `limit` waiting events; returns how many.

    One sealer works at a time (a transaction-level advisory lock, safe behind transaction pooling); a second one returns 0.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        pending = list(AuditPending.objects.select_related("event").order_by("event_id")[:limit])
        if not pending:
            return 0
        last = AuditSeal.objects.order_by("-sequence").first()
        sequence, chain = (last.sequence, last.chain_digest) if last else (0, GENESIS)
        seals = []
        for row in pending:
            sequence += 1
            digest = event_digest(row.event)
            chain = link(chain, sequence, digest)
            seals.append(
                AuditSeal(sequence=sequence, event=row.event, event_digest=digest, chain_digest=chain)
            )
        AuditSeal.objects.bulk_create(seals)
        key = crypto.signing_key("audit")
        AuditCheckpoint.objects.create(
            sequence=sequence,
            chain_digest=chain,
            key=key,
            signature=crypto.sign(key, checkpoint_message(sequence, chain)),
        )
        AuditPending.objects.filter(event_id__in=[row.event_id for row in pending]).delete()
        reach(KillPoint.AUDIT_BEFORE_COMMIT)
    reach(KillPoint.AUDIT_AFTER_COMMIT)
    return len(seals)
