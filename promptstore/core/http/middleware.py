"""Per-request context: log fields, the current project and environment, and domain errors as answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject

from promptstore.core import keys, selectors
from promptstore.core.errors import DomainError
from promptstore.core.http.problems import from_domain_error, from_page, is_api, problem_response
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.metrics import REQUEST_SECONDS

log = structlog.get_logger("http")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def lazy(read: Callable[[], Any]) -> Any:
    """What a page may never ask for is not queried."""
    return SimpleLazyObject(read)


class RequestLogMiddleware:
    """Bind a request id, log one line per request, observe its duration."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid4().hex)
        started = time.perf_counter()
        response = self.get_response(request)
        took = time.perf_counter() - started
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        REQUEST_SECONDS.labels(request.method, route, response.status_code // 100).observe(took)
        log.info(
            "request.answered",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round(took * 1000, 1),
        )
        return response


class ProjectMiddleware:
    """`request.actor`, `request.project` and `request.environment`: the chosen ones if still allowed, else the first."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        seen = cast("ProjectRequest", request)
        seen.actor = lazy(lambda: keys.actor_for_user(request.user))
        seen.project = lazy(lambda: selectors.current_project(request.user, request.session.get("project")))
        seen.environment = lazy(
            lambda: selectors.current_environment(seen.project, request.session.get("environment"))
        )
        return self.get_response(request)


class ProblemMiddleware:
    """A refusal that no view handled itself: a problem document for API paths, a page or message for people.

    Django's own error pages (no such path, a body over the limit, a defect) become documents below `/api/` too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.status_code >= 400 and is_page and is_api(request):
            return problem_response(from_page(response.status_code))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DomainError):
            return None
        if is_api(request):
            return problem_response(from_domain_error(error))
        referer = request.headers.get("Referer", "")
        if (
            request.method == "POST"
            and error.status != 404
            and referer.startswith(f"{request.scheme}://{request.get_host()}/")
        ):
            messages.error(request, error.detail)
            return redirect(referer)
        template = f"errors/{error.status if error.status in {403, 404, 409} else 400}.html"
        return render(request, template, {"error": error}, status=error.status)
