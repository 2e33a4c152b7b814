from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from promptstore.core import crypto
from promptstore.core.audit.chain import GENESIS, checkpoint_message, event_digest, link
from promptstore.core.models import AuditCheckpoint, AuditEvent, AuditPending, AuditSeal


@dataclass
class Verification:
    """What a check of the whole log found: counts, and one sentence per fault with its sequence number."""

    sealed: int = 0
    checkpoints: int = 0
    pending: int = 0
    head: str = GENESIS
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


def verify(*, expect_sequence: int | None = None, expect_head: str | None = None) -> Verification:
    """Recompute every digest, link and signature.

    `expect_sequence` and `expect_head` come from a checkpoint kept elsewhere; with them a truncated tail shows too.
    """
    result = Verification()
    chains: dict[int, str] = {}
    for seal in _seals():
        result.sealed += 1
        if seal.sequence != result.sealed + _missing(result):
            result.faults.append(f"sequence {seal.sequence}: a seal before it is missing")
        if event_digest(seal.event) != seal.event_digest:
            result.faults.append(
                f"sequence {seal.sequence}: event {seal.event_id} was changed after it was sealed"
            )
        result.head = link(result.head, seal.sequence, seal.event_digest)
        if result.head != seal.chain_digest:
            result.faults.append(f"sequence {seal.sequence}: the chain is broken")
            result.head = seal.chain_digest
        chains[seal.sequence] = seal.chain_digest
    _checkpoints(result, chains)
    result.pending = AuditPending.objects.count()
    unsealed = AuditEvent.objects.filter(seal__isnull=True).count()
    if unsealed > result.pending:
        result.faults.append(
            f"{unsealed - result.pending} events are neither sealed nor waiting for the sealer"
        )
    if expect_sequence is not None and chains.get(expect_sequence) != expect_head:
        result.faults.append(f"sequence {expect_sequence}: the log does not contain the checkpoint you kept")
    return result


def _seals() -> Iterator[AuditSeal]:
    return AuditSeal.objects.select_related("event").order_by("sequence").iterator(chunk_size=2000)


def _missing(result: Verification) -> int:
    return sum(1 for fault in result.faults if fault.endswith("is missing"))


def _checkpoints(result: Verification, chains: dict[int, str]) -> None:
    for point in AuditCheckpoint.objects.select_related("key").order_by("sequence").iterator():
        result.checkpoints += 1
        message = checkpoint_message(point.sequence, point.chain_digest)
        if chains.get(point.sequence) != point.chain_digest:
            result.faults.append(f"sequence {point.sequence}: the checkpoint names another chain")
        elif not crypto.is_signed(bytes(point.key.public_key), message, bytes(point.signature)):
            result.faults.append(f"sequence {point.sequence}: the checkpoint's signature is not valid")
    last = max(chains, default=0)
    if last and not AuditCheckpoint.objects.filter(sequence=last).exists():
        result.faults.append(f"sequence {last}: the newest seal has no checkpoint")
