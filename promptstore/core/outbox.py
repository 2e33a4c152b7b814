"""The transactional outbox: work that follows from a change commits with the change.

`emit` writes a row in the service's transaction. After the commit an inline handler runs at once in the same process, any other
is handed to a worker; both are only shortcuts. Whatever is lost on the way — a crash, a flushed broker — the relay finds again,
because the row stays open until its handler has returned. Handlers are therefore idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

from promptstore.core import clock
from promptstore.core.killpoints import KillPoint, reach
from promptstore.core.models import OutboxMessage

log = structlog.get_logger("outbox")

Handler = Callable[[Mapping[str, Any]], None]
MAX_ATTEMPTS = 12
RESEND_AFTER = timedelta(seconds=20)
MAX_BACKOFF = timedelta(minutes=5)
# More than clocks of several machines differ by.
_SKEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Topic:
    """Who handles a topic: the dotted path of a `Handler`, imported when it is first needed.

    `lease_s` bounds one attempt; a second worker may take over after it.
    """

    name: str
    handler: str
    lease_s: int = 60
    inline: bool = False


_topics: dict[str, Topic] = {}


def register(name: str, handler: str, *, lease_s: int = 60, inline: bool = False) -> None:
    """Name the handler of a topic; called from an app's `ready`."""
    _topics[name] = Topic(name=name, handler=handler, lease_s=lease_s, inline=inline)


def emit(topic: str, payload: Mapping[str, Any], *, delay: timedelta = timedelta(0)) -> None:
    """Owe one piece of work to the open transaction. The payload is JSON without secrets."""
    message = OutboxMessage.objects.create(
        topic=topic, payload=dict(payload), available_at=clock.now() + delay
    )
    if not delay:
        # Robust: the change is committed, so a failed shortcut must not look like a failed change.
        transaction.on_commit(lambda: _hurry(message.pk, topic), robust=True)


def _hurry(message_id: int, topic: str) -> None:
    reach(KillPoint.OUTBOX_AFTER_COMMIT)
    known = _topics.get(topic)
    if known and known.inline:
        deliver(message_id)
    else:
        _send(message_id)


def _send(message_id: int) -> bool:
    reach(KillPoint.OUTBOX_BEFORE_SEND)
    try:
        current_app.send_task("core.deliver", [message_id], retry=False)
    except (OperationalError, OSError) as error:  # the broker is away: the relay comes back to this row
        log.warning("outbox.broker_unreachable", message_id=message_id, error=type(error).__name__)
        return False
    reach(KillPoint.OUTBOX_AFTER_SEND)
    OutboxMessage.objects.filter(pk=message_id).update(sent_at=clock.now())
    return True


def deliver(message_id: int) -> bool:
    """Run a message's handler once, unless somebody else is at it; returns whether it is done now."""
    message = _claim(message_id)
    if message is None:
        return False
    reach(KillPoint.OUTBOX_AFTER_CLAIM)
    topic = _topics[message.topic]
    try:
        handler: Handler = import_string(topic.handler)
        handler(message.payload)
    except Exception as error:  # noqa: BLE001 - any failure of a handler must leave the row open for another try
        _give_back(message, error)
        return False
    reach(KillPoint.OUTBOX_AFTER_HANDLER)
    # Also when it was slow and has been given up meanwhile: what is done is not dead.
    OutboxMessage.objects.filter(pk=message_id).update(
        done_at=clock.now(), dead_at=None, claimed_until=None, last_error=""
    )
    reach(KillPoint.OUTBOX_AFTER_DONE)
    return True


def _claim(message_id: int) -> OutboxMessage | None:
    now = clock.now()
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .filter(_open(), _unclaimed(now), pk=message_id)
            .first()
        )
        if message is None or message.topic not in _topics:
            return None
        if message.attempts >= MAX_ATTEMPTS:
            _give_up(message)
            return None
        message.attempts += 1
        message.claimed_until = now + timedelta(seconds=_topics[message.topic].lease_s)
        message.save(update_fields=["attempts", "claimed_until"])
    return message


def _give_up(message: OutboxMessage) -> None:
    """No attempt came back: a handler that takes its process down must not take down one worker after another."""
    log.error("outbox.given_up", message_id=message.pk, topic=message.topic, attempts=message.attempts)
    message.claimed_until, message.dead_at = None, clock.now()
    message.last_error = "The process died or hung in the last attempt."
    message.save(update_fields=["claimed_until", "dead_at", "last_error"])


def _give_back(message: OutboxMessage, error: Exception) -> None:
    now = clock.now()
    dead = message.attempts >= MAX_ATTEMPTS
    log.error(
        "outbox.attempt_failed",
        message_id=message.pk,
        topic=message.topic,
        attempts=message.attempts,
        dead=dead,
        exc_info=error,
    )
    # Attempts are the lease's fence: who was overtaken does not free the claim of who works on it now.
    OutboxMessage.objects.filter(_open(), pk=message.pk, attempts=message.attempts).update(
        claimed_until=None,
        last_error=f"{type(error).__name__}: {error}"[:2000],
        available_at=now + min(timedelta(seconds=2**message.attempts), MAX_BACKOFF),
        dead_at=now if dead else None,
    )


def relay(*, limit: int = 500) -> int:
    """Hand every open message that is due, and not recently sent, to a worker; returns how many were sent."""
    now = clock.now()
    due = (
        OutboxMessage.objects.filter(
            _open(),
            _unclaimed(now),
            Q(available_at__lte=now) | _stamped_ahead(now),
            Q(sent_at__isnull=True) & (Q(created_at__lte=now - timedelta(seconds=1)) | _stamped_ahead(now))
            | Q(sent_at__lte=now - RESEND_AFTER)
            | Q(sent_at__gt=now + _SKEW)
            | Q(sent_at__lt=F("available_at"), available_at__lte=now),
        )
        .order_by("id")
        .values_list("pk", flat=True)[:limit]
    )
    sent = 0
    for message_id in due:
        if not _send(message_id):
            break
        sent += 1
    return sent


def _open() -> Q:
    return Q(done_at__isnull=True, dead_at__isnull=True)


def _unclaimed(now: datetime) -> Q:
    """Nobody's, or claimed for longer than any lease lasts: by somebody whose clock has been set back since."""
    longest = timedelta(seconds=max((topic.lease_s for topic in _topics.values()), default=0))
    return (
        Q(claimed_until__isnull=True) | Q(claimed_until__lte=now) | Q(claimed_until__gt=now + longest + _SKEW)
    )


def _stamped_ahead(now: datetime) -> Q:
    """Written or put off before somebody set the clock back: such a time is no reason to wait."""
    return Q(created_at__gt=now + _SKEW) | Q(attempts__gt=0, available_at__gt=now + MAX_BACKOFF + _SKEW)


def dead() -> QuerySet[OutboxMessage]:
    """The messages that ran out of attempts, oldest first."""
    return OutboxMessage.objects.filter(dead_at__isnull=False).order_by("id")


def retry_dead(message_id: int) -> bool:
    """Give a message that ran out of attempts another round; returns whether it was one."""
    return bool(
        dead().filter(pk=message_id).update(dead_at=None, attempts=0, available_at=clock.now(), sent_at=None)
    )


def forget_done(*, older_than: timedelta = timedelta(days=7)) -> int:
    """Delete finished messages; returns how many."""
    return OutboxMessage.objects.filter(done_at__lt=clock.now() - older_than).delete()[0]
