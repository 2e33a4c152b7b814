"""Tables of the ground floor, one noun per file."""

from promptstore.core.models.audit import (
    AuditCheckpoint,
    AuditEvent,
    AuditPending,
    AuditSeal,
    AuditVerification,
)
from promptstore.core.models.base import InsertOnlyModel, TenantModel
from promptstore.core.models.idempotency import IdempotentReply
from promptstore.core.models.keys import ApiKey, Credential, SigningKey
from promptstore.core.models.outbox import OutboxMessage
from promptstore.core.models.projects import Environment, Membership, Project
from promptstore.core.models.users import User

__all__ = [
    "ApiKey",
    "AuditCheckpoint",
    "AuditEvent",
    "AuditPending",
    "AuditSeal",
    "AuditVerification",
    "Credential",
    "Environment",
    "IdempotentReply",
    "InsertOnlyModel",
    "Membership",
    "OutboxMessage",
    "Project",
    "SigningKey",
    "TenantModel",
    "User",
]
