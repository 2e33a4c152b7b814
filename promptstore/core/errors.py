"""Errors as values: a stable code, a sentence that says what to do, the field at fault, an HTTP status.

Services raise these; `core.http.problems` turns them into RFC 9457 documents, the console into messages, the CLI into exit
codes. Codes never change; sentences may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class DomainError(Exception):
    """A refusal that changed nothing. `extra` is added to the problem document as further members."""

    code = "domain_error"
    status = 422
    title = "The request was refused"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        field: str | None = None,
        status: int | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.field = field
        self.status = status or type(self).status
        self.errors = [dict(error) for error in errors]
        self.extra = dict(extra or {})


class InvalidInput(DomainError):
    """The input is malformed; `field` names where."""

    code = "invalid"
    status = 400
    title = "The input is not valid"


class NotAllowed(DomainError):
    """The actor lacks a permission, or separation of duties forbids it."""

    code = "not_allowed"
    status = 403
    title = "You may not do this"


class NotFound(DomainError):
    """Nothing by that name or id in this project."""

    code = "not_found"
    status = 404
    title = "Not found"


class Conflict(DomainError):
    """The state has moved on, or the name is taken."""

    code = "conflict"
    status = 409
    title = "The state has changed"


class StaleWrite(Conflict):
    """Optimistic locking: somebody saved in between."""

    code = "stale_write"
    status = 412
    title = "Somebody else changed this in the meantime"
