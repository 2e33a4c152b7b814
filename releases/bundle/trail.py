"""The audit events about a release, and the pieces of the log's chain that prove them.

An event is proven by the digests of its successors up to a signed checkpoint; those are of events that the bundle does not
show, so nothing of other projects is in it but digests.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from promptstore.core.audit.chain import GENESIS, event_body, event_digest
from promptstore.core.models import AuditCheckpoint, AuditEvent, AuditSeal, SigningKey
from releases.bundle.people import names_an_address

MAX_EVENTS: Final = 5_000
# Where the log is longer between the first event and the last, each event gets the way to its own checkpoint instead.
MAX_UNBROKEN: Final = 20_000
WITHHELD: Final = "it names an e-mail address"


@dataclass
class Trail:
    """`lines` go into `audit/events.jsonl`, `chain` into `audit/chain.json`; `keys` made the checkpoints in it."""

    lines: list[dict[str, Any]]
    chain: dict[str, Any]
    keys: list[SigningKey] = field(default_factory=list)


def events_about(project_id: UUID, object_ids: Iterable[UUID]) -> list[AuditEvent]:
    """The project's events about these rows, oldest first; of more than `MAX_EVENTS` the latest."""
    wanted = [str(one) for one in object_ids]
    rows = AuditEvent.objects.select_related("seal").filter(project_id=project_id, object_id__in=wanted)
    return list(reversed(rows.order_by("-pk")[:MAX_EVENTS]))


def trail_of(events: list[AuditEvent]) -> Trail:
    """Events that the sealer has not reached have no sequence number and are proven by nothing yet."""
    sequences = sorted(seal.sequence for event in events if (seal := _seal(event)) is not None)
    segments, keys = _segments(sequences)
    return Trail(
        lines=[_line(event) for event in events],
        chain={"genesis": GENESIS, "segments": segments},
        keys=keys,
    )


def _seal(event: AuditEvent) -> AuditSeal | None:
    seal: AuditSeal | None = getattr(event, "seal", None)
    return seal


def _line(event: AuditEvent) -> dict[str, Any]:
    """An event as the chain covers it, or its digest alone where its text must not leave the house."""
    seal, body = _seal(event), event_body(event)
    line: dict[str, Any] = {
        "sequence": seal.sequence if seal else None,
        "digest": seal.event_digest if seal else event_digest(event),
    }
    return line | ({"withheld": WITHHELD} if names_an_address(body) else {"event": body})


def _segments(sequences: list[int]) -> tuple[list[dict[str, Any]], list[SigningKey]]:
    """Slices of the chain that hold all `sequences`, each up to the checkpoint behind it."""
    found: list[dict[str, Any]] = []
    keys: dict[str, SigningKey] = {}
    points = AuditCheckpoint.objects.select_related("key").order_by("sequence")
    unbroken = bool(sequences) and sequences[-1] - sequences[0] < MAX_UNBROKEN
    reached = 0
    for sequence in sequences:
        if sequence <= reached:
            continue
        point = points.filter(sequence__gte=sequences[-1] if unbroken else sequence).first()
        if point is None:
            break  # the verifier says what is not proven
        found.append(_segment(sequence, point))
        keys[point.key.key_id] = point.key
        reached = point.sequence
    return found, [key for _id, key in sorted(keys.items())]


def _segment(start: int, point: AuditCheckpoint) -> dict[str, Any]:
    seals = AuditSeal.objects.filter(sequence__gte=start, sequence__lte=point.sequence).order_by("sequence")
    before = AuditSeal.objects.filter(sequence=start - 1).values_list("chain_digest", flat=True).first()
    return {
        "start": start,
        "previous": before or GENESIS,
        "digests": list(seals.values_list("event_digest", flat=True)),
        "checkpoint": {
            "sequence": point.sequence,
            "chain_digest": point.chain_digest,
            "key_id": point.key.key_id,
            "signature": base64.b64encode(bytes(point.signature)).decode(),
            "signed_at": point.signed_at.isoformat(),
        },
    }
