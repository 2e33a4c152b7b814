"""RFC 9457 problem documents for everything that goes wrong over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from promptstore.core.errors import DomainError

CONTENT_TYPE = "application/problem+json"


def problem(
    *, status: int, code: str, title: str, detail: str, field: str | None = None, **extra: Any
) -> dict[str, Any]:
    """The members of a problem document; `code` is ours and stable, `field` names the input at fault."""
    body: dict[str, Any] = {
        "type": f"urn:promptstore:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if field:
        body["field"] = field
    return body | extra


def from_domain_error(error: DomainError) -> dict[str, Any]:
    """A service's refusal as a problem document."""
    extra = dict(error.extra)
    if error.errors:
        extra["errors"] = error.errors
    return problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        field=error.field,
        **extra,
    )


def problem_response(body: dict[str, Any]) -> JsonResponse:
    """A problem document as a plain Django response."""
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)


def exception_handler(error: Exception, _context: dict[str, Any]) -> Response | None:
    """DRF's hook: domain errors, DRF's own errors and Django's 403/404 as problem documents."""
    headers: dict[str, str] = {}
    if isinstance(error, DomainError):
        body = from_domain_error(error)
    elif isinstance(error, exceptions.ValidationError):
        body = _from_validation(error)
    elif isinstance(error, exceptions.APIException):
        code = str(getattr(error.detail, "code", None) or error.default_code)
        title = HTTPStatus(error.status_code).phrase  # DRF's own default texts have holes in them
        body = problem(status=error.status_code, code=code, title=title, detail=str(error.detail))
        challenge = getattr(error, "auth_header", None)
        if challenge:
            headers["WWW-Authenticate"] = str(challenge)
        wait = getattr(error, "wait", None)
        if wait:
            headers["Retry-After"] = str(int(wait))
    elif isinstance(error, Http404):
        body = problem(status=404, code="not_found", title="Not found", detail="Nothing is here.")
    elif isinstance(error, PermissionDenied):
        body = problem(status=403, code="not_allowed", title="You may not do this", detail=str(error))
    else:
        return None
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def _from_validation(error: exceptions.ValidationError) -> dict[str, Any]:
    faults = list(_flatten(error.detail, ""))
    first = faults[0] if faults else {"field": None, "detail": "The input is not valid."}
    detail = f"{first['field']}: {first['detail']}" if first["field"] else str(first["detail"])
    return problem(
        status=400,
        code="invalid",
        title="The input is not valid",
        detail=detail,
        field=first["field"],
        errors=faults,
    )


def _flatten(detail: Any, path: str) -> Any:
    if isinstance(detail, dict):
        for key, value in detail.items():
            # Lists report their faulty items under the items' numbers.
            name = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
            name = path if key == "non_field_errors" else name
            yield from _flatten(value, name)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from _flatten(value, path if isinstance(value, str) else f"{path}[{index}]")
    else:
        yield {"field": path or None, "detail": str(detail), "code": getattr(detail, "code", "invalid")}


_PAGES = {
    400: (
        "bad_request",
        "The request could not be understood",
        "Look at the address, the headers and the body.",
    ),
    403: ("not_allowed", "You may not do this", "This is not allowed here."),
    404: ("not_found", "Not found", "Nothing is here; /api/v1/schema/ lists what there is."),
}
_DEFECT = (
    "internal_error",
    "Something broke on our side",
    "Nothing was changed; report the time and the address.",
)


def from_page(status: int) -> dict[str, Any]:
    """The document in place of an error page that Django made before or after any view."""
    code, title, detail = _PAGES.get(status, _DEFECT if status >= 500 else _PAGES[400])
    return problem(status=status, code=code, title=title, detail=detail)


def is_api(request: HttpRequest) -> bool:
    """Whether the caller expects problem documents rather than pages."""
    return request.path.startswith("/api/")
