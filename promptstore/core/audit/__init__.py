"""The append-only log: `record` inside a service's transaction, `seal_pending` within seconds, `verify` at any time."""

from promptstore.core.audit.recording import record
from promptstore.core.audit.restores import Restore, restores
from promptstore.core.audit.sealing import seal_pending
from promptstore.core.audit.verifying import Verification, verify

__all__ = ["Restore", "Verification", "record", "restores", "seal_pending", "verify"]
