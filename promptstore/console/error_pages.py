"""Pages for what went wrong: what happened, that nothing was lost, what to do. Named as handlers in `promptstore.urls`."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string

log = structlog.get_logger("console")

_BARE = "<!doctype html><title>Something broke</title><h1>Something broke on our side</h1><p>Try again in a moment.</p>"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request could not be understood."""
    return render(request, "errors/400.html", {"error": exception}, status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the person may not see or do this."""
    return render(request, "errors/403.html", {"error": exception}, status=403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such page, or none that this person may know of."""
    return render(request, "errors/404.html", {"error": exception}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """500: rendered without a request, so that what broke the page cannot break this one."""
    try:
        page: str = render_to_string("errors/500.html")
    except (TemplateDoesNotExist, ValueError):  # ValueError: a static file is missing from the manifest
        log.exception("error_page.failed")
        page = _BARE
    return HttpResponse(page, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token no longer fits: the usual causes are a new sign-in in another tab or blocked cookies."""
    return render(request, "errors/403.html", {"is_csrf": True, "reason": reason}, status=403)
