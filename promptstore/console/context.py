"""What every page knows: where it is, who looks at it, and how it should look."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from promptstore.console import counters
from promptstore.console.navigation import items_for, register_counter, url_or_none
from promptstore.console.place import environments_of
from promptstore.console.preferences import theme_of
from promptstore.core import clock
from promptstore.core.permissions import Role, roles_of
from promptstore.core.selectors import projects_of

# Pages that the layout links to when they exist.
_PLACES = {
    "home": "console:home",
    "search": "console:search",
    "palette": "console:search_palette",
    "switch": "console:switch",
    "theme": "console:theme",
    "password": "password_change",
    "logout": "logout",
    "styleguide": "console:styleguide",
}

register_counter("incidents:incident_list", counters.open_incidents)
register_counter("releases:release_list", counters.approvals_waiting)
register_counter("reviews:item_list", counters.reviews_waiting)


def console(request: HttpRequest) -> dict[str, Any]:
    """`nav`, `project`, `environment`, `roles`, `theme`, `places`, `now`, `banner`; what costs a query is lazy."""
    # Both may be lazy objects around None, so they are asked for their truth, never compared with None.
    project = getattr(request, "project", None)
    user = getattr(request, "user", None)

    def roles() -> frozenset[Role]:
        return roles_of(user_id=user.pk, project_id=project.pk) if user and project else frozenset()

    lazy_roles = SimpleLazyObject(roles)
    return {
        "project": project,
        "environment": getattr(request, "environment", None),
        "project_choices": SimpleLazyObject(lambda: list(projects_of(user))),
        "environment_choices": SimpleLazyObject(lambda: environments_of(project) if project else []),
        "roles": lazy_roles,
        "nav": SimpleLazyObject(lambda: items_for(request, frozenset(lazy_roles))),
        "theme": theme_of(request),
        "now": clock.now(),
        "banner": _banner(),
        "places": {name: url for name, url_name in _PLACES.items() if (url := url_or_none(url_name))},
    }


def _banner() -> str:
    """What stands above every page; a clock that is not the world's says so, whatever else is configured."""
    stepped = clock.stepped_by()
    if stepped is None:
        return settings.PROMPTSTORE_BANNER
    hours = stepped.total_seconds() / 3600
    return (
        f"A replay: this instance's clock is {hours:,.0f} hours ahead. {settings.PROMPTSTORE_BANNER}".strip()
    )
