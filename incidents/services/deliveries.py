"""Sending what is owed: claim, send, record. Each step is a transaction of its own, so a killed worker loses nothing.

A message is sent at least once. Of one incident a channel gets its messages in order: a later one waits while an earlier one is
still tried.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from incidents.models import Delivery, NotificationChannel, NotificationPreference
from incidents.notifications.kinds import KINDS
from incidents.notifications.personal.mail import Letter
from incidents.notifications.schedule import wait_before_next
from incidents.notifications.sending import Outcome, Outgoing, Verdict, send
from incidents.notifications.smtp import MAX_CONNECTIONS, send_letter
from incidents.services.channels import disable_gone
from incidents.services.outgoing import owe_again, require_finished
from incidents.services.preferences import webhook_gone
from incidents.services.preparing import prepare
from incidents.states import DeliveryState
from promptstore.core import clock
from promptstore.core.actors import Actor, system
from promptstore.core.errors import Conflict, NotFound
from promptstore.core.killpoints import KillPoint, reach
from promptstore.core.permissions import require

log = structlog.get_logger("notifications")
# Longer than an attempt may take, so that two workers do not send the same message at once.
CLAIM = timedelta(seconds=60)
BATCH = 50
_SENDER = system("notifications")


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A message that is ours to send until `until`; attempt number and moment together are the fence."""

    delivery: Delivery
    attempts: int
    until: datetime


def send_delivery(*, delivery_id: UUID) -> bool:
    """Try one message if it is due; returns whether it was ours to try."""
    return _send_all(_claim(Q(pk=delivery_id), limit=1)) == 1


def send_due(*, limit: int = BATCH) -> int:
    """Try every message that is due, side by side; returns how many were tried. Finds again what a dead worker held."""
    return _send_all(_claim(Q(), limit=limit))


def replay(*, actor: Actor, project_id: UUID, delivery_id: UUID) -> Delivery:
    """Send a finished message once more, with the same id and content, on a fresh schedule.

    Raises `Conflict` while it is still tried, when its channel is switched off, and for a receiver that mirrors the incident's
    state when a later message exists. Locks the message.
    """
    require(actor, "incident.mitigate", project_id=project_id)
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(of=("self",))
            .select_related("channel")
            .filter(pk=delivery_id, project_id=project_id, channel__isnull=False)
            .first()
        )
        if delivery is None:
            raise NotFound("There is no such message in this project.", field="delivery")
        channel = delivery.channel
        assert channel is not None, "the query asks for it"
        _refuse_replay(delivery, channel)
        owe_again(actor, delivery, to={"channel": channel.name})
    return delivery


def _refuse_replay(delivery: Delivery, channel: NotificationChannel) -> None:
    require_finished(delivery)
    if not channel.enabled:
        raise Conflict(f"{channel.name} is switched off; switch it on first.", field="enabled")
    if KINDS[channel.kind].mirrors_state and delivery.incident_id:
        later = Delivery.objects.filter(channel=channel, incident_id=delivery.incident_id, pk__gt=delivery.pk)
        if later.exists():
            raise Conflict(
                "The incident has moved on since. Replay its latest message to this channel instead.",
                field="delivery",
            )


def _claim(which: Q, *, limit: int) -> list[_Claimed]:
    now = clock.now()
    earlier = Delivery.objects.filter(
        channel=OuterRef("channel"),
        incident=OuterRef("incident"),
        state=DeliveryState.PENDING,
        pk__lt=OuterRef("pk"),
    )
    with transaction.atomic():
        due = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("channel", "recipient")
            .filter(
                which,
                # A claim further ahead than any was stamped before somebody set the clock back.
                Q(claimed_until__isnull=True)
                | Q(claimed_until__lte=now)
                | Q(claimed_until__gt=now + 2 * CLAIM),
                ~Exists(earlier),
                state=DeliveryState.PENDING,
                next_attempt_at__lte=now,
            )
            .order_by("next_attempt_at", "id")[:limit]
        )
        claimed = []
        for delivery in due:
            delivery.attempts += 1
            delivery.claimed_until = now + CLAIM
            delivery.save(update_fields=["attempts", "claimed_until"])
            claimed.append(_Claimed(delivery, delivery.attempts, delivery.claimed_until))
    return claimed


def _send_all(claimed: list[_Claimed]) -> int:
    ready: list[tuple[_Claimed, Outgoing | Letter]] = []
    if claimed:
        reach(KillPoint.DELIVERY_AFTER_CLAIM)
    for one in claimed:
        prepared = prepare(one.delivery)
        if isinstance(prepared, Outcome):
            _record(one, prepared)
        else:
            ready.append((one, prepared))
    outcomes = _post([outgoing for _, outgoing in ready])
    if outcomes:
        reach(KillPoint.DELIVERY_AFTER_SEND)
    for (one, _), outcome in zip(ready, outcomes, strict=True):
        _record(one, outcome)
        reach(KillPoint.DELIVERY_AFTER_RECORD)
    return len(claimed)


def _post(outgoing: list[Outgoing | Letter]) -> list[Outcome]:
    async def together() -> list[Outcome]:
        free = asyncio.Semaphore(MAX_CONNECTIONS)
        return await asyncio.gather(
            *(send_letter(one, free=free) if isinstance(one, Letter) else send(one) for one in outgoing)
        )

    if not outgoing:
        return []
    # A thread of its own has no event loop yet, whoever calls.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(together())).result()


def _lock_receiver(delivery: Delivery) -> NotificationChannel | NotificationPreference | None:
    if delivery.channel_id is not None:
        return NotificationChannel.objects.select_for_update().get(pk=delivery.channel_id)
    return (
        NotificationPreference.objects.select_for_update()
        .filter(project_id=delivery.project_id, user=delivery.recipient)
        .first()
    )


def _record(claimed: _Claimed, outcome: Outcome) -> None:
    with transaction.atomic():
        # Before the message's lock: whoever switches a receiver off takes them in this order too.
        gone = _lock_receiver(claimed.delivery) if outcome.verdict is Verdict.GONE else None
        delivery = (
            Delivery.objects.select_for_update()
            .filter(pk=claimed.delivery.pk, attempts=claimed.attempts, claimed_until=claimed.until)
            .first()
        )
        if delivery is None:
            return  # the claim ran out and somebody else has sent it since: theirs counts
        now = clock.now()
        delivery.claimed_until = None
        delivery.last_status = outcome.status
        delivery.last_detail = outcome.detail
        if outcome.verdict is Verdict.DELIVERED:
            delivery.state = DeliveryState.DELIVERED
            delivery.delivered_at = now
        elif delivery.state == DeliveryState.PENDING:
            wait = None
            if outcome.verdict is Verdict.RETRY:
                wait = wait_before_next(delivery.attempts, retry_after_s=outcome.retry_after_s)
            if wait is None:
                delivery.state = DeliveryState.FAILED
            else:
                delivery.next_attempt_at = now + wait
        delivery.save()
        if isinstance(gone, NotificationChannel):
            disable_gone(_SENDER, gone)
        elif gone is not None:
            webhook_gone(_SENDER, gone)
    log.info(
        "delivery.attempted",
        delivery_id=str(delivery.pk),
        channel_id=str(delivery.channel_id or ""),
        way=delivery.way,
        attempts=delivery.attempts,
        state=delivery.state,
        status=outcome.status,
    )
