"""Channels: where incidents are told. Addresses and secrets are sealed, and shown again to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from incidents.models import Delivery, Incident, NotificationChannel
from incidents.notifications import signing
from incidents.notifications.kinds import KINDS, Kind, SecretUse
from incidents.notifications.snapshot import INCIDENT_EVENTS
from incidents.services.addresses import check_destination, origin_of
from incidents.services.outgoing import owe, trial_snapshot
from incidents.states import DeliveryState
from promptstore.core import audit, clock, crypto
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput, NotFound, StaleWrite
from promptstore.core.permissions import require
from registry.errors import NameTaken
from registry.names import check_name

MANAGE = "policy.manage"
MAX_SECRET_CHARS = 4_000
PREVIOUS_SECRET_FOR = timedelta(hours=24)


def create_channel(
    *,
    actor: Actor,
    project_id: UUID,
    name: str,
    kind: str,
    url: str = "",
    secret: str = "",
    events: Sequence[str] = INCIDENT_EVENTS,
    min_severity: str = Incident.Severity.P4,
    allow_private: bool = False,
) -> tuple[NotificationChannel, str]:
    """A new channel, and its secret if one was made for it: this is the only time that it is shown.

    Raises `InvalidInput`, with code `url_refused` for an address that may not be called, `NameTaken`, `NotAllowed`.
    """
    require(actor, MANAGE, project_id=project_id)
    check_name(name)
    if kind not in KINDS:
        raise InvalidInput(f"Use one of: {', '.join(KINDS)}.", field="kind")
    rules = KINDS[kind]
    address = check_destination(url.strip() or rules.default_url, allow_private=allow_private)
    made = signing.new_secret() if rules.secret is SecretUse.MADE and not secret.strip() else ""
    key = _secret(rules, made or secret)
    channel = NotificationChannel(
        project_id=project_id,
        name=name,
        kind=kind,
        destination=origin_of(address),
        sealed_url=crypto.seal(address),
        sealed_secret=crypto.seal(key) if key else None,
        events=_events(events),
        min_severity=_severity(min_severity),
        allow_private=allow_private,
    )
    with transaction.atomic():
        require(actor, MANAGE, project_id=project_id)
        try:
            with transaction.atomic():
                channel.save(force_insert=True)
        except IntegrityError as error:
            raise NameTaken(f"A channel called “{name}” exists already.", field="name") from error
        _record(actor, "channel.created", channel, before=None)
    return channel, made


def update_channel(
    *,
    actor: Actor,
    project_id: UUID,
    channel_id: UUID,
    revision: int,
    url: str | None = None,
    events: Sequence[str] | None = None,
    min_severity: str | None = None,
    allow_private: bool | None = None,
    enabled: bool | None = None,
) -> NotificationChannel:
    """Change a channel; `None` keeps a value. Switching it off gives up the messages that still wait.

    Raises as `create_channel`, and `StaleWrite` when it is no longer at `revision`. Locks the channel.
    """
    require(actor, MANAGE, project_id=project_id)
    with transaction.atomic():
        channel = lock_channel(project_id, channel_id)
        _check_revision(channel, revision)
        before = _facts(channel)
        if allow_private is not None:
            channel.allow_private = allow_private
        if url is not None or allow_private is not None:
            address = crypto.unseal(bytes(channel.sealed_url)) if url is None else url.strip()
            channel.sealed_url = crypto.seal(check_destination(address, allow_private=channel.allow_private))
            channel.destination = origin_of(address)
        if events is not None:
            channel.events = _events(events)
        if min_severity is not None:
            channel.min_severity = _severity(min_severity)
        if enabled is not None:
            _switch(channel, enabled=enabled, because="Switched off by a person.")
        channel.revision += 1
        channel.save()
        _record(actor, "channel.changed", channel, before=before)
    return channel


def rotate_secret(
    *, actor: Actor, project_id: UUID, channel_id: UUID, revision: int, secret: str = ""
) -> tuple[NotificationChannel, str]:
    """Replace the secret, and return it if one was made.

    Webhooks carry the signatures of both secrets for a day, so that the receiver can change over in between. Raises as
    `update_channel`.
    """
    require(actor, MANAGE, project_id=project_id)
    with transaction.atomic():
        channel = lock_channel(project_id, channel_id)
        _check_revision(channel, revision)
        rules = KINDS[channel.kind]
        made = signing.new_secret() if rules.secret is SecretUse.MADE and not secret.strip() else ""
        key = _secret(rules, made or secret)
        before = _facts(channel)
        if rules.secret is SecretUse.MADE:
            channel.sealed_previous_secret = channel.sealed_secret
            channel.previous_valid_until = clock.now() + PREVIOUS_SECRET_FOR
        channel.sealed_secret = crypto.seal(key) if key else None
        channel.revision += 1
        channel.save()
        _record(actor, "channel.secret_rotated", channel, before=before)
    return channel, made


def send_test(*, actor: Actor, project_id: UUID, channel_id: UUID) -> Delivery:
    """Owe the channel a test message. Raises `Conflict` for a channel that is switched off."""
    require(actor, MANAGE, project_id=project_id)
    with transaction.atomic():
        channel = lock_channel(project_id, channel_id)
        if not channel.enabled:
            raise Conflict(f"{channel.name} is switched off; switch it on first.", field="enabled")
        delivery = owe(channel, trial_snapshot(channel, actor_name=actor.name), incident=None)
        audit.record(
            actor=actor,
            action="channel.tested",
            target=channel,
            project_id=project_id,
            after={"message_id": delivery.message_id},
        )
    return delivery


def disable_gone(actor: Actor, channel: NotificationChannel) -> None:
    """Switch a locked channel off because its receiver said that it is gone for good."""
    if not channel.enabled:
        return
    before = _facts(channel)
    _switch(channel, enabled=False, because="The receiver answered that it is gone for good (HTTP 410).")
    channel.revision += 1
    channel.save()
    _record(actor, "channel.disabled", channel, before=before)


def lock_channel(project_id: UUID, channel_id: UUID) -> NotificationChannel:
    """The channel under its lock; raises `NotFound`, also for another project's."""
    found = (
        NotificationChannel.objects.select_for_update().filter(pk=channel_id, project_id=project_id).first()
    )
    if found is None:
        raise NotFound("There is no such notification channel in this project.", field="channel")
    return found


def _switch(channel: NotificationChannel, *, enabled: bool, because: str) -> None:
    channel.disabled_because = "" if enabled else because
    if channel.enabled and not enabled:
        Delivery.objects.filter(channel=channel, state=DeliveryState.PENDING).update(
            state=DeliveryState.FAILED, last_detail="The channel was switched off."
        )
    channel.enabled = enabled


def _check_revision(channel: NotificationChannel, revision: int) -> None:
    if channel.revision != revision:
        raise StaleWrite(
            f"{channel.name} was changed after you opened it. Look at what it is now, then save again.",
            field="revision",
            extra={"current_revision": channel.revision},
        )


def _secret(kind: Kind, secret: str) -> str:
    secret = secret.strip()
    if not secret and kind.secret is SecretUse.NEEDED:
        raise InvalidInput("This kind of channel needs a secret.", code="required", field="secret")
    if secret and kind.secret is SecretUse.NONE:
        raise InvalidInput("This kind of channel takes no secret; its URL is one.", field="secret")
    if len(secret) > MAX_SECRET_CHARS or not (secret.isascii() and (secret.isprintable() or not secret)):
        raise InvalidInput("A secret is printable ASCII.", field="secret")
    if secret:
        try:
            kind.check_secret(secret)
        except ValueError as error:
            raise InvalidInput(f"This secret does not fit: {error}.", field="secret") from error
    return secret


def _events(events: Sequence[str]) -> list[str]:
    unknown = sorted(set(events) - set(INCIDENT_EVENTS))
    if unknown:
        raise InvalidInput(
            f"“{unknown[0][:40]}” is no event. Use: {', '.join(INCIDENT_EVENTS)}.", field="events"
        )
    if not events:
        raise InvalidInput("Choose at least one event.", code="required", field="events")
    return [event.value for event in INCIDENT_EVENTS if event in events]


def _severity(severity: str) -> str:
    if severity not in Incident.Severity.values:
        raise InvalidInput(f"Use one of {', '.join(Incident.Severity.values)}.", field="min_severity")
    return severity


def _record(
    actor: Actor, action: str, channel: NotificationChannel, *, before: dict[str, Any] | None
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=channel,
        project_id=channel.project_id,
        before=before,
        after=_facts(channel),
        reason=channel.disabled_because,
    )


def _facts(channel: NotificationChannel) -> dict[str, Any]:
    return {
        "kind": channel.kind,
        "destination": channel.destination,
        "events": list(channel.events),
        "min_severity": channel.min_severity,
        "allow_private": channel.allow_private,
        "enabled": channel.enabled,
        "has_secret": channel.sealed_secret is not None,
        "revision": channel.revision,
    }
