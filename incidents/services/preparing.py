"""From a kept message to what goes over the wire: addresses and secrets of now, and whether a person still belongs here."""

from __future__ import annotations

import time
from uuid import UUID

from django.conf import settings

from incidents.models import Delivery, NotificationChannel, NotificationPreference
from incidents.notifications import webhook
from incidents.notifications.kinds import KINDS
from incidents.notifications.personal.mail import Letter, compose
from incidents.notifications.sending import Outcome, Outgoing, Verdict
from incidents.selectors.people import why_no_mail_to
from promptstore.core import clock, crypto
from promptstore.core.errors import DomainError
from promptstore.core.models import User
from promptstore.core.permissions import roles_of


def prepare(delivery: Delivery) -> Outgoing | Letter | Outcome:
    """What is to be sent, or the outcome of a message that cannot be."""
    try:
        if delivery.channel is not None:
            return _to_channel(delivery, delivery.channel)
        assert delivery.recipient is not None, "the database holds that it goes to a channel or a person"
        return _to_person(delivery, delivery.recipient)
    except DomainError as error:
        return Outcome(Verdict.RETRY, error.detail[:300])


def _to_channel(delivery: Delivery, channel: NotificationChannel) -> Outgoing | Outcome:
    if not channel.enabled:
        return Outcome(Verdict.REFUSED, "The channel was switched off.")
    # Receivers compare the signature's time with their own clock, so it is the wall clock's.
    headers, body = KINDS[channel.kind].encode(
        delivery.payload,
        secrets=_secrets(channel),
        message_id=delivery.message_id,
        timestamp_s=int(time.time()),
    )
    url = crypto.unseal(bytes(channel.sealed_url))
    return Outgoing(url=url, headers=headers, body=body, allow_private=channel.allow_private)


def _secrets(channel: NotificationChannel) -> list[str]:
    """The current secret, then the previous one while it still counts."""
    found = [channel.sealed_secret]
    if channel.previous_valid_until and channel.previous_valid_until > clock.now():
        found.append(channel.sealed_previous_secret)
    return [crypto.unseal(bytes(sealed)) for sealed in found if sealed is not None]


def _to_person(delivery: Delivery, person: User) -> Outgoing | Letter | Outcome:
    if not roles_of(user_id=person.pk, project_id=delivery.project_id):
        return Outcome(Verdict.REFUSED, "The person no longer belongs to the project.")
    if delivery.way == Delivery.Way.WEBHOOK:
        return _to_webhook(delivery, person.pk)
    missing = why_no_mail_to(person)
    if missing:
        return Outcome(Verdict.RETRY, missing[:300])
    return compose(delivery.payload, to=person.email, message_id=delivery.message_id)


def _to_webhook(delivery: Delivery, user_id: UUID) -> Outgoing | Outcome:
    row = NotificationPreference.objects.filter(project_id=delivery.project_id, user_id=user_id).first()
    if row is None or row.sealed_url is None or row.sealed_secret is None:
        return Outcome(Verdict.REFUSED, "The webhook was removed.")
    headers, body = webhook.encode(
        delivery.payload,
        secrets=[crypto.unseal(bytes(row.sealed_secret))],
        message_id=delivery.message_id,
        timestamp_s=int(time.time()),
    )
    return Outgoing(
        url=crypto.unseal(bytes(row.sealed_url)),
        headers=headers,
        body=body,
        allow_private=settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE,
    )
