"""What a person wants to be told, and where their own webhook is. Everybody changes their own and nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from incidents.models import Delivery, NotificationPreference
from incidents.notifications import signing
from incidents.notifications.personal.events import ALL
from incidents.selectors.people import wishes_of
from incidents.services.addresses import check_destination, origin_of
from incidents.services.people import own_id
from incidents.states import DeliveryState
from promptstore.core import audit, crypto
from promptstore.core.actors import Actor
from promptstore.core.errors import Conflict, InvalidInput, StaleWrite
from promptstore.core.permissions import require

GONE = "The receiver answered that it is gone for good (HTTP 410)."


def save_preferences(
    *,
    actor: Actor,
    project_id: UUID,
    revision: int,
    email: Sequence[str] | None = None,
    webhook: Sequence[str] | None = None,
    webhook_url: str | None = None,
) -> tuple[NotificationPreference, str]:
    """Choose events by way and set the webhook; `None` keeps a value, an empty URL removes the webhook.

    Returns the choices, and the signing secret if one was made for a first URL: this is the only time that it is shown. `revision`
    is 0 for the first choice. Raises `InvalidInput`, with code `url_refused` for an address that may not be called, `StaleWrite`,
    and `NotAllowed` for a service key. Locks the person's choices.
    """
    require(actor, "project.read", project_id=project_id)
    own_id(actor)
    changes: dict[str, Any] = {
        name: _events(events, field=field)
        for name, field, events in (("email_events", "email", email), ("webhook_events", "webhook", webhook))
        if events is not None
    }
    made = ""
    with transaction.atomic():
        row = _own(actor, project_id, revision)
        before = _facts(row) if revision else None
        if webhook_url is not None:
            made = _point(row, webhook_url.strip())
        for name, events in changes.items():
            setattr(row, name, events)
        _save(row, revision)
        _record(actor, "preference.changed", row, before=before)
    return row, made


def rotate_own_secret(*, actor: Actor, project_id: UUID, revision: int) -> tuple[NotificationPreference, str]:
    """Replace the webhook's signing secret at once, and return the new one: the only time that it is shown.

    Raises `Conflict` without a webhook, otherwise as `save_preferences`.
    """
    require(actor, "project.read", project_id=project_id)
    own_id(actor)
    with transaction.atomic():
        row = _own(actor, project_id, revision)
        if row.sealed_url is None:
            raise Conflict("You have no webhook here; enter its URL first.", code="way_unavailable")
        before = _facts(row)
        made = signing.new_secret()
        row.sealed_secret = crypto.seal(made)
        _save(row, revision)
        _record(actor, "preference.secret_rotated", row, before=before)
    return row, made


def webhook_gone(actor: Actor, row: NotificationPreference) -> None:
    """Forget a locked person's webhook because its receiver said that it is gone for good."""
    if row.sealed_url is None:
        return
    before = _facts(row)
    _forget(row, because=GONE)
    _save(row, row.revision)
    _record(actor, "preference.webhook_gone", row, before=before)


def _own(actor: Actor, project_id: UUID, revision: int) -> NotificationPreference:
    """The actor's row under its lock, or a new one that begins with what was usual until now."""
    user_id = own_id(actor)
    row = (
        NotificationPreference.objects.select_for_update()
        .filter(project_id=project_id, user_id=user_id)
        .first()
    )
    if row is None and revision == 0:
        usual = wishes_of(project_id=project_id, user_id=user_id)
        return NotificationPreference(
            project_id=project_id, user_id=user_id, email_events=[event.value for event in usual.email]
        )
    if row is None or row.revision != revision:
        raise _stale(row.revision if row else 0)
    return row


def _save(row: NotificationPreference, revision: int) -> None:
    row.revision = revision + 1
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        # Somebody with the same sign-in made the first choice between our look and our insert.
        raise _stale(1) from error


def _stale(current: int) -> StaleWrite:
    return StaleWrite(
        "Your choices were changed after you opened them. Look at what they are now, then save again.",
        field="revision",
        extra={"current_revision": current},
    )


def _point(row: NotificationPreference, url: str) -> str:
    """Set or remove the webhook; returns a secret that was made for it."""
    if not url:
        _forget(row, because="")
        return ""
    address = check_destination(
        url, allow_private=settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE, field="webhook_url"
    )
    row.sealed_url = crypto.seal(address)
    row.destination = origin_of(address)
    row.webhook_off_because = ""
    if row.sealed_secret is not None:
        return ""
    made = signing.new_secret()
    row.sealed_secret = crypto.seal(made)
    return made


def _forget(row: NotificationPreference, *, because: str) -> None:
    row.sealed_url = row.sealed_secret = None
    row.destination = ""
    row.webhook_off_because = because
    Delivery.objects.filter(
        project_id=row.project_id,
        recipient_id=row.user_id,
        way=Delivery.Way.WEBHOOK,
        state=DeliveryState.PENDING,
    ).update(state=DeliveryState.FAILED, last_detail="The webhook was removed.")


def _events(events: Sequence[str], *, field: str) -> list[str]:
    unknown = sorted(set(events) - set(ALL))
    if unknown:
        raise InvalidInput(f"“{unknown[0][:40]}” is no event. Use: {', '.join(ALL)}.", field=field)
    return [event.value for event in ALL if event in events]


def _record(actor: Actor, action: str, row: NotificationPreference, *, before: dict[str, Any] | None) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=row,
        project_id=row.project_id,
        before=before,
        after=_facts(row),
        reason=row.webhook_off_because,
    )


def _facts(row: NotificationPreference) -> dict[str, Any]:
    return {
        "email_events": list(row.email_events),
        "webhook_events": list(row.webhook_events),
        "destination": row.destination,
        "has_secret": row.sealed_secret is not None,
        "revision": row.revision,
    }
