"""What a person is told of the project they look at, and how: e-mail, a webhook of their own, or not at all."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from incidents.models import Delivery
from incidents.selectors.people import Wishes, messages_to, wishes_of
from incidents.services.people import own_id, replay_own, send_own_test
from incidents.services.preferences import rotate_own_secret, save_preferences
from incidents.states import DeliveryState
from promptstore.console.settings.forms import NotificationForm, WebhookForm
from promptstore.core.errors import DomainError
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest
from registry.forms.errors import show_refusal


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def notification_settings(request: ProjectRequest) -> HttpResponse:
    """The table of events and ways, what was sent, and the form that saves the ticks."""
    wishes = wishes_of(project_id=request.project.pk, user_id=own_id(request.actor))
    form = NotificationForm(
        request.POST or None,
        initial={"revision": wishes.revision, "email": wishes.email, "webhook": wishes.webhook},
    )
    if request.method == "POST" and form.is_valid():
        try:
            save_preferences(
                actor=request.actor,
                project_id=request.project.pk,
                revision=form.cleaned_data["revision"],
                email=form.cleaned_data["email"],
                webhook=form.cleaned_data["webhook"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("console:notification_settings")
    return _page(request, wishes, form=form)


@never_cache
@require_POST
@project_page()
def notification_webhook(request: ProjectRequest) -> HttpResponse:
    """Set or remove the webhook; a secret that is made for it is shown on the answer and nowhere else."""
    webhook = WebhookForm(request.POST)
    if webhook.is_valid():
        try:
            row, secret = save_preferences(
                actor=request.actor,
                project_id=request.project.pk,
                revision=webhook.cleaned_data["revision"],
                webhook_url=webhook.cleaned_data["webhook_url"],
            )
        except DomainError as error:
            show_refusal(webhook, error)
        else:
            if secret:
                return _secret(request, row.destination, secret)
            messages.success(request, "Saved." if row.sealed_url else "The webhook is removed.")
            return redirect("console:notification_settings")
    wishes = wishes_of(project_id=request.project.pk, user_id=own_id(request.actor))
    return _page(request, wishes, webhook=webhook)


@never_cache
@require_POST
@project_page()
def notification_rotate(request: ProjectRequest) -> HttpResponse:
    """Make a new signing secret and show it once."""
    posted = WebhookForm(request.POST)
    posted.is_valid()
    row, secret = rotate_own_secret(
        actor=request.actor,
        project_id=request.project.pk,
        revision=posted.cleaned_data.get("revision", -1),
    )
    return _secret(request, row.destination, secret)


@require_POST
@project_page()
def notification_test(request: ProjectRequest) -> HttpResponse:
    """Send a test by the posted `way`."""
    send_own_test(actor=request.actor, project_id=request.project.pk, way=request.POST.get("way", ""))
    messages.success(request, "A test is on its way; it is listed below with what came of it.")
    return redirect("console:notification_settings")


@require_POST
@project_page()
def notification_replay(request: ProjectRequest, message_id: str) -> HttpResponse:
    """Send one of the person's finished messages once more."""
    replay_own(actor=request.actor, project_id=request.project.pk, message_id=message_id)
    messages.success(request, "It is sent once more, with the same id.")
    return redirect("console:notification_settings")


def _page(
    request: ProjectRequest,
    wishes: Wishes,
    *,
    form: NotificationForm | None = None,
    webhook: WebhookForm | None = None,
) -> HttpResponse:
    initial = {"revision": wishes.revision}
    shown = form or NotificationForm(initial=initial | {"email": wishes.email, "webhook": wishes.webhook})
    at_url = webhook or WebhookForm(initial=initial)
    sent = messages_to(project_id=request.project.pk, user_id=own_id(request.actor))
    return render(
        request,
        "console/settings/notifications.html",
        {
            "wishes": wishes,
            "form": shown,
            "webhook_form": at_url,
            "last_by_webhook": sent.filter(way=Delivery.Way.WEBHOOK).first(),
            "page": keyset_page(sent, request.GET.get("cursor", "")),
            "pending": DeliveryState.PENDING,
        },
        status=422 if shown.errors or at_url.errors else 200,
    )


def _secret(request: ProjectRequest, destination: str, secret: str) -> HttpResponse:
    context = {"destination": destination, "secret": secret}
    return render(request, "console/settings/notification_secret.html", context, status=201)
