"""`/styleguide/`: every component in every state, for staff and for visual tests."""

from __future__ import annotations

from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import condition, require_http_methods, require_POST, require_safe

from promptstore.console.navigation import ENTRIES
from promptstore.console.styleguide import samples
from promptstore.console.styleguide.forms import SampleForm
from promptstore.core import clock

TICK_S = 10  # how often the live sample changes


def staff_only(view: Any) -> Any:
    """Sign in first; whoever is not staff gets 403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_staff:
            raise PermissionDenied
        answer: HttpResponseBase = view(request, *args, **kwargs)
        return answer

    return login_required(guarded)


def _tick() -> int:
    return int(clock.now().timestamp()) // TICK_S


def live_etag(request: HttpRequest) -> str:  # noqa: ARG001 - the signature that `condition` asks for
    """The live sample's state: nothing but the tick is shown there."""
    return f'"tick-{_tick()}"'


def _live_values() -> dict[str, Any]:
    tick = _tick()
    done = 300 + tick % 200
    return {
        "live_steps": [
            {"label": "2 %", "state": "done", "note": "All rules within limits"},
            {
                "label": "10 %",
                "state": "current",
                "samples_done": done,
                "samples_needed": 500,
                "time_done": 6 * (tick % 100),
                "time_needed": 600,
            },
            {"label": "100 %", "state": "next", "note": "Becomes stable"},
        ],
        "live_chart": samples.latency(clock.now()),
    }


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def guide(request: HttpRequest) -> HttpResponse:
    """The whole vocabulary on one page. `?invalid` shows the form's errors; nothing here changes anything."""
    now = clock.now()
    data = {"version": "1.3.0", "feature": "config-assistant", "note": "Shorter answers."}
    form = (
        SampleForm(request.POST or data)
        if request.method == "POST" or "invalid" in request.GET
        else SampleForm()
    )
    context = {
        "form": form,
        "invalid_form": SampleForm(data, auto_id="id_invalid_%s"),
        "entries": ENTRIES,
        "statuses": samples.status_groups(),
        "steps": samples.steps(),
        "troubled_steps": samples.troubled_steps(),
        "rows": samples.rows(),
        "findings": samples.FINDINGS,
        "before": samples.BEFORE,
        "after": samples.AFTER,
        "code": samples.JSON_TEXT,
        "digest": samples.DIGEST,
        "consequences": samples.CONSEQUENCES,
        "chart": samples.chart(now),
        "moments": [
            now,
            now - timedelta(seconds=42),
            now - timedelta(minutes=12),
            now - timedelta(hours=5),
            now + timedelta(minutes=8),
            now - timedelta(days=90),
        ],
        **_live_values(),
    }
    return render(
        request,
        "console/styleguide/guide.html",
        context,
        status=422 if form.is_bound and not form.is_valid() else 200,
    )


@staff_only
@require_safe
@condition(etag_func=live_etag)
def live(request: HttpRequest) -> HttpResponse:
    """The fragment behind the live sample: 304 until the next tick."""
    return render(request, "console/styleguide/_live.html", _live_values())


@staff_only
@require_safe
@condition(etag_func=live_etag)
def series(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The JSON behind the chart that loads its data by itself."""
    return JsonResponse(samples.chart(clock.now(), calm=True))


@staff_only
@require_POST
def sent(request: HttpRequest) -> HttpResponse:
    """Where the sample confirms post to: says what arrived."""
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, "Nothing was done: say why, so that the decision log can tell.")
    else:
        messages.success(request, f"This is only the style guide. Your reason was: “{reason}”.")
    return HttpResponseRedirect(reverse("console:styleguide") + "#actions")
