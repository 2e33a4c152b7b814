"""How the console looks for one browser: light, dark, or as the system says. Kept in a cookie, so the first paint is right."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "promptstore_theme"
THEMES = ("light", "dark")
SYSTEM = "system"
_YEAR_S = 365 * 86_400


def theme_of(request: HttpRequest) -> str:
    """`light`, `dark` or `system`."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else SYSTEM


def next_path(request: HttpRequest) -> str:
    """The posted `next` if it is a path of this site, else the start page."""
    target = request.POST.get("next", "/")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_ours else "/"


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember the posted `theme` and go back to where the person was (the posted `next`, within this site)."""
    response = HttpResponseRedirect(next_path(request))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        # Read by static/js/theme.js, so that one tab follows another; it holds nothing worth hiding.
        response.set_cookie(COOKIE, chosen, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie(COOKIE, samesite="Lax")
    return response
