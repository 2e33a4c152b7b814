"""Pages: notification channels, one channel with what was sent to it, and its actions."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from incidents.forms import ChannelChangeForm, ChannelForm
from incidents.notifications.kinds import KINDS
from incidents.selectors.channels import channel_detail, channels, deliveries, delivery_by_message_id
from incidents.services.channels import create_channel, rotate_secret, send_test, update_channel
from incidents.services.deliveries import replay
from incidents.states import DeliveryState
from promptstore.core.errors import DomainError, InvalidInput
from promptstore.core.http.keyset import keyset_page
from promptstore.core.http.pages import project_page
from promptstore.core.http.requests import ProjectRequest


@require_safe
@project_page()
def channel_list(request: ProjectRequest) -> HttpResponse:
    """The project's channels and what waits or failed in each."""
    page = keyset_page(channels(project_id=request.project.pk), request.GET.get("cursor", ""))
    return render(request, "incidents/channel_list.html", {"page": page})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@project_page("policy.manage")
def channel_create(request: ProjectRequest) -> HttpResponse:
    """A new channel; a secret that is made for it is shown on the answer and nowhere else."""
    form = ChannelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = {name: value for name, value in form.cleaned_data.items() if name != "revision"}
        try:
            made, secret = create_channel(actor=request.actor, project_id=request.project.pk, **typed)
        except DomainError as error:
            form.show(error)
        else:
            if secret:
                return render(
                    request, "incidents/channel_secret.html", {"channel": made, "secret": secret}, status=201
                )
            messages.success(request, f"{made.name} is told about incidents from now on.")
            return redirect("incidents:channel_detail", name=made.name)
    return render(
        request, "incidents/channel_create.html", {"form": form}, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@project_page()
def channel_detail_page(request: ProjectRequest, name: str) -> HttpResponse:
    """What a channel wants, what was sent to it, and the form that changes it."""
    channel = channel_detail(project_id=request.project.pk, name=name)
    wanted = {
        field: getattr(channel, field) for field in ("revision", "events", "min_severity", "allow_private")
    }
    form = ChannelChangeForm(request.POST or None, initial=wanted)
    if request.method == "POST" and form.is_valid():
        try:
            update_channel(
                actor=request.actor,
                project_id=request.project.pk,
                channel_id=channel.pk,
                revision=form.cleaned_data["revision"] or 0,
                url=form.cleaned_data["url"] or None,
                events=form.cleaned_data["events"],
                min_severity=form.cleaned_data["min_severity"],
                allow_private=form.cleaned_data["allow_private"],
            )
        except DomainError as error:
            form.show(error)
        else:
            messages.success(request, "Saved.")
            return redirect("incidents:channel_detail", name=name)
    return render(
        request,
        "incidents/channel_detail.html",
        {
            "channel": channel,
            "form": form,
            "page": keyset_page(deliveries(channel_id=channel.pk), request.GET.get("cursor", "")),
            "pending": DeliveryState.PENDING,
            "secret_use": KINDS[channel.kind].secret,
        },
        status=422 if form.errors else 200,
    )


@require_POST
@project_page()
def channel_test(request: ProjectRequest, name: str) -> HttpResponse:
    """Send a test message."""
    channel = channel_detail(project_id=request.project.pk, name=name)
    send_test(actor=request.actor, project_id=request.project.pk, channel_id=channel.pk)
    messages.success(request, "A test message is on its way; it is listed below.")
    return redirect("incidents:channel_detail", name=name)


@require_POST
@project_page()
def channel_switch(request: ProjectRequest, name: str) -> HttpResponse:
    """Switch the channel on or off: `enabled` is `yes` or `no`."""
    channel = channel_detail(project_id=request.project.pk, name=name)
    enabled = request.POST.get("enabled") == "yes"
    update_channel(
        actor=request.actor,
        project_id=request.project.pk,
        channel_id=channel.pk,
        revision=_revision(request),
        enabled=enabled,
    )
    messages.success(request, f"{name} is switched {'on' if enabled else 'off'}.")
    return redirect("incidents:channel_detail", name=name)


@never_cache
@require_POST
@project_page()
def channel_rotate(request: ProjectRequest, name: str) -> HttpResponse:
    """Replace the secret by the posted one, or make a webhook's anew: then the answer shows it, and nothing else ever does."""
    channel = channel_detail(project_id=request.project.pk, name=name)
    saved, secret = rotate_secret(
        actor=request.actor,
        project_id=request.project.pk,
        channel_id=channel.pk,
        revision=_revision(request),
        secret=request.POST.get("secret", ""),
    )
    if secret:
        return render(request, "incidents/channel_secret.html", {"channel": saved, "secret": secret})
    messages.success(request, "The new secret is used from now on.")
    return redirect("incidents:channel_detail", name=name)


@require_POST
@project_page()
def channel_replay(request: ProjectRequest, name: str, message_id: str) -> HttpResponse:
    """Send one message once more."""
    channel = channel_detail(project_id=request.project.pk, name=name)
    delivery = delivery_by_message_id(channel_id=channel.pk, message_id=message_id)
    replay(actor=request.actor, project_id=request.project.pk, delivery_id=delivery.pk)
    messages.success(request, "It is sent once more, with the same id.")
    return redirect("incidents:channel_detail", name=name)


def _revision(request: ProjectRequest) -> int:
    text = request.POST.get("revision", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput("Say which revision of the channel this is about.", field="revision")
    return int(text)
