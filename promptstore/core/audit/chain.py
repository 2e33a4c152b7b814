"""How events become a chain. Shared by the sealer and the verifier, and simple enough to re-implement from this page."""

from __future__ import annotations

import hashlib
from typing import Any

from promptstore.core.digests import digest_json
from promptstore.core.models import AuditEvent

GENESIS = "sha256:" + "0" * 64


def event_body(event: AuditEvent) -> dict[str, Any]:
    """The members of an event that its digest covers."""
    return {
        "id": str(event.id),
        "project": str(event.project_id) if event.project_id else None,
        "at": event.at.isoformat(),
        "actor": {"kind": event.actor_kind, "id": event.actor_id, "name": event.actor_name},
        "action": event.action,
        "object": {"type": event.object_type, "id": event.object_id, "label": event.object_label},
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
    }


def event_digest(event: AuditEvent) -> str:
    """The digest of an event's canonical JSON."""
    return digest_json(event_body(event))


def link(previous: str, sequence: int, digest: str) -> str:
    """The chain digest at `sequence`: `sha256(previous \\n sequence \\n event digest)`."""
    return "sha256:" + hashlib.sha256(f"{previous}\n{sequence}\n{digest}".encode()).hexdigest()


def checkpoint_message(sequence: int, chain_digest: str) -> bytes:
    """The bytes that a checkpoint's signature covers."""
    return f"promptstore-audit-v1\n{sequence}\n{chain_digest}\n".encode()
