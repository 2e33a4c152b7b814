from __future__ import annotations

import pytest

from promptstore.core import clock
from promptstore.core.models import OutboxMessage
from tests.cli.conftest import PromptCtl


@pytest.fixture
def dead(db: None) -> OutboxMessage:
    return OutboxMessage.objects.create(
        topic="snapshot.publish", payload={}, attempts=12, dead_at=clock.now(), last_error="OSError: no space"
    )


def test_without_dead_messages_all_is_fine(promptctl: PromptCtl, db: None) -> None:
    ended = promptctl("outbox", "dead")
    assert (ended.code, ended.out.strip()) == (0, "No message is dead.")


def test_dead_messages_are_listed_with_their_last_error(promptctl: PromptCtl, dead: OutboxMessage) -> None:
    ended = promptctl("outbox", "dead")
    assert ended.code == 1
    assert ended.out.strip() == f"{dead.pk}  snapshot.publish  OSError: no space"


def test_a_dead_message_gets_another_round_once(promptctl: PromptCtl, dead: OutboxMessage) -> None:
    assert promptctl("outbox", "retry", dead.pk).code == 0
    dead.refresh_from_db()
    assert (dead.dead_at, dead.attempts) == (None, 0)
    again = promptctl("outbox", "retry", dead.pk)
    assert again.code == 1
    assert "Not among the dead messages" in again.err


def test_all_that_are_dead_can_be_taken_together(promptctl: PromptCtl, dead: OutboxMessage) -> None:
    assert promptctl("outbox", "retry", "--all", "--json").json == {"retried": [dead.pk]}
    assert not OutboxMessage.objects.filter(dead_at__isnull=False).exists()


def test_neither_or_both_of_numbers_and_all_is_a_usage_error(promptctl: PromptCtl) -> None:
    assert promptctl("outbox", "retry").code == 2
    assert promptctl("outbox", "retry", 1, "--all").code == 2
