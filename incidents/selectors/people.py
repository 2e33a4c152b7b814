"""Reads of what people want to be told, and of what they were told. Addresses and secrets are never among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet

from incidents.models import Delivery, NotificationPreference
from incidents.notifications.personal.events import ALL, PersonalEvent, usual
from incidents.notifications.smtp import why_no_mail
from promptstore.core.errors import NotFound
from promptstore.core.models import Membership, User
from promptstore.core.permissions import Role, roles_of


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one person wants by which way, in the order of `ALL`. `revision` is 0 while they have not chosen.

    `address` is their e-mail address, `no_mail` a sentence about why none can be sent to it; `destination` is the origin of their
    webhook, empty without one, and `webhook_off_because` says why it was switched off.
    """

    email: tuple[PersonalEvent, ...]
    webhook: tuple[PersonalEvent, ...]
    address: str
    no_mail: str
    destination: str
    webhook_off_because: str
    revision: int


def wishes_of(*, project_id: UUID, user_id: UUID) -> Wishes:
    """A member's choices, or what is usual for their roles."""
    user = User.objects.get(pk=user_id)
    row = NotificationPreference.objects.filter(project_id=project_id, user_id=user_id).first()
    if row is None:
        wanted = usual(roles_of(user_id=user_id, project_id=project_id))
        email, webhook = wanted, frozenset[PersonalEvent]()
    else:
        email, webhook = _known(row.email_events), _known(row.webhook_events)
    return Wishes(
        email=tuple(event for event in ALL if event in email),
        webhook=tuple(event for event in ALL if event in webhook),
        address=user.email,
        no_mail=why_no_mail_to(user),
        destination=row.destination if row else "",
        webhook_off_because=row.webhook_off_because if row else "",
        revision=row.revision if row else 0,
    )


def why_no_mail_to(user: User) -> str:
    """What keeps this person from getting e-mail, as a sentence; empty when nothing does."""
    missing = why_no_mail()
    if missing:
        return missing
    try:
        validate_email(user.email)
    except ValidationError:
        return "Your account has no e-mail address. Whoever runs this instance can enter it."
    return ""


def ways_wanted(
    *, project_id: UUID, interests: Iterable[tuple[PersonalEvent, frozenset[UUID] | None]]
) -> list[tuple[UUID, str]]:
    """Who of the project's active members wants to hear of one of `interests`, and by which way; each pair once.

    An interest is what somebody may have chosen, and the people whom it concerns: everybody for `None`. A way that cannot be used
    (no mail server, no address, no webhook) is left out, so that nothing looks as if it were on its way.
    """
    asked = tuple(interests)
    chosen = {row.user_id: row for row in NotificationPreference.objects.filter(project_id=project_id)}
    members = Membership.objects.filter(project_id=project_id, user__is_active=True).exclude(roles=[])
    found: list[tuple[UUID, str]] = []
    for member in members.select_related("user").order_by("id"):
        concerned = {event for event, people in asked if people is None or member.user_id in people}
        if not concerned:
            continue
        row = chosen.get(member.user_id)
        by_mail = _known(row.email_events) if row else usual(Role(role) for role in member.roles)
        if concerned & by_mail and not why_no_mail_to(member.user):
            found.append((member.user_id, Delivery.Way.EMAIL))
        if row and row.sealed_url is not None and concerned & _known(row.webhook_events):
            found.append((member.user_id, Delivery.Way.WEBHOOK))
    return found


def messages_to(*, project_id: UUID, user_id: UUID) -> QuerySet[Delivery]:
    """What a person was told of a project, newest first."""
    return Delivery.objects.filter(project_id=project_id, recipient_id=user_id).order_by("-id")


def message_to(*, project_id: UUID, user_id: UUID, message_id: str) -> Delivery:
    """A person's own message by its id (`msg_…`); raises `NotFound`, also for somebody else's."""
    key: UUID | None
    try:
        key = UUID(message_id.removeprefix("msg_"))
    except ValueError:
        key = None
    found = messages_to(project_id=project_id, user_id=user_id).filter(pk=key).first() if key else None
    if found is None:
        raise NotFound("You got no such message.", field="message_id")
    return found


def _known(events: Iterable[str]) -> frozenset[PersonalEvent]:
    """Names that were kept by another version of the product are passed over."""
    return frozenset(PersonalEvent(event) for event in events if event in {*ALL})
