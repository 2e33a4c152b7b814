"""`Idempotency-Key`: the same key and body take effect once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from rest_framework.request import Request
from rest_framework.test import APIClient

from promptstore.core.clock import ManualClock
from promptstore.core.errors import Conflict
from promptstore.core.http.idempotency import ABANDONED_AFTER, KEEP
from promptstore.core.models import IdempotentReply, OutboxMessage
from tests.cast import Cast, make_cast
from tests.core.probe import (
    PROMPTS,
    Probe,
    does,
    is_problem,
    on_probe,
    post,
    refuses_with,
    signed_in,
)

# --- Idempotency-Key -------------------------------------------------------------------------------------


@on_probe
def test_the_same_key_and_body_get_the_first_answer_and_no_second_effect(api: APIClient) -> None:
    first = post(api, {"a": 1}, key="k")
    again = post(api, {"a": 1}, key="k")
    assert first.json() == again.json() == {"n": 1}
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (201, "true")
    assert "Idempotent-Replay" not in first.headers
    assert Probe.effects == 1
    assert post(api, {"a": 1}, key="other").json() == {"n": 2}
    assert post(api, {"a": 1}).json() == {"n": 3}, "without a key every request counts"


@on_probe
def test_a_refusal_is_repeated_word_for_word(api: APIClient) -> None:
    refuses_with(Conflict("Taken.", code="name_taken", field="name"))
    first = post(api, key="k")
    does(lambda _: {})
    again = post(api, key="k")
    is_problem(again, 409, "name_taken", "name")
    assert again.content == first.content


@on_probe
def test_a_key_used_for_another_body_is_refused(api: APIClient) -> None:
    post(api, {"a": 1}, key="k")
    is_problem(post(api, {"a": 2}, key="k"), 409, "idempotency_key_reused", "Idempotency-Key")
    assert Probe.effects == 1


def test_a_key_used_on_another_path_is_refused(api: APIClient) -> None:
    post(api, {"name": "greeting"}, key="k", url=PROMPTS)
    response = post(api, {"name": "greeting"}, key="k", url="/api/v1/projects/acme/models/")
    assert response.json()["code"] in {"idempotency_key_reused", "method_not_allowed"}


@on_probe
def test_each_caller_has_keys_of_their_own(cast: Cast) -> None:
    assert post(signed_in(cast, "writer"), key="k").json() == {"n": 1}
    assert post(signed_in(cast, "engineer"), key="k").json() == {"n": 2}


@on_probe
def test_a_key_longer_than_is_kept_is_refused_rather_than_cut(api: APIClient) -> None:
    assert post(api, {"a": 1}, key="k" * 200).status_code == 201
    is_problem(post(api, {"a": 1}, key="k" * 200 + "-second"), 400, "invalid", "Idempotency-Key")
    assert Probe.effects == 1


@on_probe
def test_a_defect_leaves_the_key_free_for_a_retry(api: APIClient) -> None:
    refuses_with(RuntimeError("boom"))
    assert post(api, key="k").status_code == 500
    assert not IdempotentReply.objects.exists()
    does(lambda _: {"fine": True})
    assert post(api, key="k").json() == {"fine": True}


@on_probe
def test_an_answer_is_kept_for_a_day(api: APIClient, clock: ManualClock) -> None:
    post(api, key="k")
    clock.advance(seconds=KEEP.total_seconds())
    assert post(api, key="k").json() == {"n": 1}
    clock.advance(seconds=1)
    assert post(api, key="k").json() == {"n": 2}


@on_probe
def test_a_call_that_died_blocks_its_key_only_for_a_while(api: APIClient, clock: ManualClock) -> None:
    post(api, key="k")
    # What a process that was killed in the middle leaves behind: its reservation.
    IdempotentReply.objects.filter(key="k").update(status=None, body=None)
    does(lambda _: {"fine": True})
    is_problem(post(api, key="k"), 409, "idempotency_in_progress")
    clock.advance(seconds=(ABANDONED_AFTER + timedelta(seconds=1)).total_seconds())
    assert post(api, key="k").json() == {"fine": True}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def in_thread(client: APIClient, **options: Any) -> Any:
    try:
        return post(client, **options)
    finally:
        connections.close_all()


@on_probe
@pytest.mark.django_db(transaction=True)
def test_a_second_call_while_the_first_one_runs_is_told_so(pool: ThreadPoolExecutor) -> None:
    started, go_on = threading.Event(), threading.Event()

    def wait(_: Request) -> Any:
        started.set()
        assert go_on.wait(20)
        return {"n": Probe.effects}

    does(wait)
    cast = make_cast("acme")
    first = pool.submit(in_thread, signed_in(cast), key="k")
    assert started.wait(20)
    client = signed_in(cast)
    is_problem(post(client, key="k"), 409, "idempotency_in_progress")
    go_on.set()
    assert first.result(20).json() == {"n": 1}
    assert post(client, key="k").json() == {"n": 1}


@on_probe
@pytest.mark.django_db(transaction=True)
def test_a_call_so_slow_that_another_took_its_key_over_takes_no_effect(
    clock: ManualClock, pool: ThreadPoolExecutor
) -> None:
    started, go_on = threading.Event(), threading.Event()

    def act(_: Request) -> Any:
        number = Probe.effects
        OutboxMessage.objects.create(topic="probe", payload={"n": number})
        if number == 1:
            started.set()
            assert go_on.wait(20)
        return {"n": number}

    does(act)
    cast = make_cast("acme")
    first = pool.submit(in_thread, signed_in(cast), key="k")
    assert started.wait(20)
    clock.advance(seconds=ABANDONED_AFTER.total_seconds() + 1)
    assert post(signed_in(cast), key="k").json() == {"n": 2}
    go_on.set()
    is_problem(first.result(20), 409, "idempotency_in_progress")
    assert [message.payload for message in OutboxMessage.objects.filter(topic="probe")] == [{"n": 2}]
    assert post(signed_in(cast), key="k").json() == {"n": 2}


@on_probe
def test_a_failed_call_leaves_no_half_of_its_effect(api: APIClient) -> None:
    def act(_: Request) -> Any:
        OutboxMessage.objects.create(topic="probe", payload={})
        raise RuntimeError

    does(act)
    assert post(api, key="k").status_code == 500
    assert not OutboxMessage.objects.filter(topic="probe").exists()


@on_probe
@pytest.mark.django_db(transaction=True)
def test_of_eight_calls_at_once_one_takes_effect(pool: ThreadPoolExecutor) -> None:
    cast = make_cast("acme")
    clients = [signed_in(cast) for _ in range(8)]
    answers = list(pool.map(lambda client: in_thread(client, key="k"), clients))
    assert Probe.effects == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(answer.json() == {"n": 1} for answer in answers if answer.status_code == 201)
