from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from promptstore.core import keys
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from promptstore.core.models import ApiKey
from promptstore.core.permissions import require

MAX_REASON_CHARS = 2000


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def key_revoke(request: ProjectRequest, key_id: UUID) -> HttpResponse:
    """Say what stops, ask once, then revoke: a token by its owner, any key by whoever manages keys."""
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()[:MAX_REASON_CHARS]
        key = keys.revoke_key(
            actor=request.actor, key_id=key_id, project_id=request.project.pk, reason=reason
        )
        messages.success(request, f"{key.name} is revoked.")
        return redirect(_list_of(key))
    key = keys.key_by_id(key_id=key_id, project_id=request.project.pk)
    if key.user_id != request.actor.user_id:
        require(request.actor, "key.manage", project_id=request.project.pk)
    return render(request, "console/settings/key_revoke.html", {"key": key, "list_url_name": _list_of(key)})


def _list_of(key: ApiKey) -> str:
    return "console:service_key_list" if key.kind == ApiKey.Kind.SERVICE else "console:settings"
