from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from promptstore.console.search.commands import matching_commands
from promptstore.console.search.finding import cleaned, find
from promptstore.console.search.marking import marked
from promptstore.console.search.recent import recent
from promptstore.console.search.results import by_kind
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.permissions import roles_of


@require_safe
@project_page()
def search(request: ProjectRequest) -> HttpResponse:
    """`?q=`: an id, a digest or its beginning, a version, or part of a name. An id that is found opens at once."""
    query = cleaned(request.GET.get("q", ""))
    found = find(request.actor, request.project.pk, query)
    if found.jump:
        return redirect(found.jump)
    return render(request, "console/search.html", {"query": query, "results": found.results})


@require_safe
@project_page()
def search_palette(request: ProjectRequest) -> HttpResponse:
    """The palette's list for `?q=`: what was found and what can be done, by kind; without a query, what is new."""
    query, project_id = cleaned(request.GET.get("q", "")), request.project.pk
    user_id = request.actor.user_id
    roles = roles_of(user_id=user_id, project_id=project_id) if user_id else frozenset()
    commands = matching_commands(query, roles)
    found = find(request.actor, project_id, query).results if query else tuple(recent(project_id))
    # Somebody who types “new” wants to do something; whatever else they type, to find something.
    is_verb = bool(query and commands and commands[0].title.lower().startswith(query.lower()))
    results = [*commands, *found] if is_verb else [*found, *commands]
    groups = [
        (kind, [(one, marked(one.title, query)) for one in members])
        for kind, members in by_kind(one for one in results if one.url)
    ]
    count = sum(len(members) for _, members in groups)
    return render(request, "console/search_results.html", {"query": query, "groups": groups, "count": count})
