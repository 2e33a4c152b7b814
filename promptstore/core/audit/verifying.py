from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.db.models import Exists, OuterRef

from promptstore.core import crypto
from promptstore.core.audit.chain import GENESIS, checkpoint_message, event_digest, link
from promptstore.core.audit.restores import why_missing
from promptstore.core.models import AuditCheckpoint, AuditEvent, AuditPending, AuditSeal

PIECE = 2_000


@dataclass
class Verification:
    """What a check of the log found so far: counts, and one sentence per fault with its sequence number.

    `sequence` and `head` are the last seal that was read; `first_bad` is the lowest sequence number at fault.
    """

    sealed: int = 0
    checkpoints: int = 0
    pending: int = 0
    sequence: int = 0
    head: str = GENESIS
    first_bad: int | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults

    def fault(self, sequence: int, text: str) -> None:
        """Note a fault at a sequence number."""
        self.faults.append(f"sequence {sequence}: {text}")
        self.first_bad = sequence if self.first_bad is None else min(self.first_bad, sequence)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; an empty mapping is a check that has not begun."""
        return cls(**stored)


def verify(*, expect_sequence: int | None = None, expect_head: str | None = None) -> Verification:
    """Recompute every digest, link and signature.

    `expect_sequence` and `expect_head` come from a checkpoint kept elsewhere; with them a truncated tail shows too. Where a restore
    from a backup may have cut it off, the fault names that restore.
    """
    result = Verification()
    while verify_piece(result):
        pass
    if expect_sequence is not None and _chain_at(expect_sequence) != expect_head:
        result.fault(
            expect_sequence,
            why_missing(expect_sequence) or "the log does not contain the checkpoint you kept",
        )
    return result


def verify_piece(result: Verification, *, limit: int = PIECE) -> bool:
    """Check up to `limit` further seals and their checkpoints; after the last one, what belongs to the whole log.

    Returns whether more is to do. What is sealed meanwhile is checked too.
    """
    start = result.sequence
    seals = list(
        AuditSeal.objects.filter(sequence__gt=start).select_related("event").order_by("sequence")[:limit]
    )
    chains: dict[int, str] = {}
    for seal in seals:
        _seal(result, seal)
        chains[seal.sequence] = seal.chain_digest
    _checkpoints(result, chains, after=start)
    if len(seals) == limit:
        return True
    _whole(result)
    return False


def _seal(result: Verification, seal: AuditSeal) -> None:
    if seal.sequence != result.sequence + 1:
        result.fault(seal.sequence, "a seal before it is missing")
    if event_digest(seal.event) != seal.event_digest:
        result.fault(seal.sequence, f"event {seal.event_id} was changed after it was sealed")
    result.head = link(result.head, seal.sequence, seal.event_digest)
    if result.head != seal.chain_digest:
        result.fault(seal.sequence, "the chain is broken")
        result.head = seal.chain_digest
    result.sequence = seal.sequence
    result.sealed += 1


def _checkpoints(result: Verification, chains: Mapping[int, str], *, after: int) -> None:
    points = AuditCheckpoint.objects.select_related("key").order_by("sequence")
    for point in points.filter(sequence__gt=after, sequence__lte=result.sequence):
        result.checkpoints += 1
        message = checkpoint_message(point.sequence, point.chain_digest)
        if chains.get(point.sequence) != point.chain_digest:
            result.fault(point.sequence, "the checkpoint names another chain")
        elif not crypto.is_signed(bytes(point.key.public_key), message, bytes(point.signature)):
            result.fault(point.sequence, "the checkpoint's signature is not valid")


def _whole(result: Verification) -> None:
    """What only the end of the log shows: a tail that was cut off, and events that nobody will seal."""
    last = result.sequence
    # A sealer may have gone on since the last piece: only a checkpoint whose own seal is gone is a fault.
    gone = AuditCheckpoint.objects.filter(
        ~Exists(AuditSeal.objects.filter(sequence=OuterRef("sequence"))), sequence__gt=last
    )
    for sequence in gone.order_by("sequence").values_list("sequence", flat=True):
        result.checkpoints += 1
        result.fault(sequence, "the checkpoint names another chain")
    if last and not AuditCheckpoint.objects.filter(sequence=last).exists():
        result.fault(last, "the newest seal has no checkpoint")
    result.pending = AuditPending.objects.count()
    # One statement, so that an event which is sealed at this moment is seen on one side or the other.
    lost = AuditEvent.objects.filter(
        ~Exists(AuditPending.objects.filter(event=OuterRef("pk"))), seal__isnull=True
    ).count()
    if lost:
        result.faults.append(f"{lost} events are neither sealed nor waiting for the sealer")


def _chain_at(sequence: int) -> str | None:
    return AuditSeal.objects.filter(sequence=sequence).values_list("chain_digest", flat=True).first()
