"""A secret is shown in the answer to the form that made it, and is kept nowhere; so that form counts once."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from promptstore.core.models import ApiKey

_SESSION_KEY = "secrets_shown"
_REMEMBERED = 20


def was_sent(request: HttpRequest, form_id: UUID) -> bool:
    """Whether this very form made a key before: a reload of the page that showed the secret, or a second click."""
    if str(form_id) not in request.session.get(_SESSION_KEY, []):
        return False
    messages.info(
        request, "That key exists already, and its secret was shown once. If you lost it, revoke it."
    )
    return True


@never_cache
def show_secret(
    request: HttpRequest, *, key: ApiKey, secret: str, form_id: UUID, back_url: str
) -> HttpResponse:
    """The one page with the secret; no cache keeps it."""
    request.session[_SESSION_KEY] = [*request.session.get(_SESSION_KEY, []), str(form_id)][-_REMEMBERED:]
    context = {"key": key, "secret": secret, "back_url": back_url}
    return render(request, "console/settings/secret.html", context, status=201)
