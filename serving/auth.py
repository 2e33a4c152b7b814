"""Who calls: a bearer key, looked up by its SHA-256 in the state of this moment.

Hashing a key costs a third of a microsecond, so there is no cache that could outlive a revocation.
"""

from __future__ import annotations

import hashlib

from promptstore.core import clock
from promptstore.core.errors import DomainError
from serving.http import Request
from serving.state import Principal, ServingState


class UnauthenticatedError(DomainError):
    """No key, or one that does not hold."""

    code = "unauthenticated"
    status = 401
    title = "A valid API key is needed"


class OutOfScopeError(DomainError):
    """The key holds and may not do this."""

    code = "not_allowed"
    status = 403
    title = "This key may not do this"


class NoSnapshotError(DomainError):
    """The node has nothing to serve yet, so it cannot tell good keys from bad ones."""

    code = "no_snapshot"
    status = 503
    title = "This node has not received a snapshot yet"


def authenticate(state: ServingState, request: Request, *, scope: str) -> Principal:
    """The caller behind `Authorization.

    Bearer …`; notes the environment on the request. See `find_principal`.
    """
    principal = find_principal(state, request.header(b"authorization"), scope)
    request.environment = principal.environment
    return principal


def find_principal(state: ServingState, authorization: bytes | None, scope: str) -> Principal:
    """Raises `UnauthenticatedError`, `OutOfScopeError`, `NoSnapshotError`."""
    if authorization is None or authorization[:7].lower() != b"bearer ":
        raise UnauthenticatedError(
            "Send `Authorization: Bearer ps_…` with a service key of this environment."
        )
    principal = state.principals.get(hashlib.sha256(authorization[7:].strip()).digest())
    if principal is None:
        if not state.environments:
            raise NoSnapshotError(
                "Try again shortly; the node waits for its first snapshot.", extra={"retry_after_s": 2}
            )
        raise UnauthenticatedError("This key is unknown, revoked, or of another installation.")
    key = principal.key
    if key.expires_at is not None and key.expires_at <= clock.now():
        raise UnauthenticatedError("This key has expired.")
    if scope not in key.scopes:
        raise OutOfScopeError(f"The key {key.name!r} lacks the scope {scope!r}.", extra={"scope": scope})
    return principal
