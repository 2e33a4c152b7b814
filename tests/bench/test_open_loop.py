"""The open-loop client: its plan, and that a stalling server cannot hide what its callers waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from bench import open_loop
from bench.open_loop import NUMBER, Stream, plan, post_request

_ANSWER = b"HTTP/1.1 %d OK\r\ncontent-length: 2\r\n\r\n{}"


def test_streams_are_evenly_spaced_and_leave_by_turns() -> None:
    moments = list(plan([4.0, 4.0], seconds=1))
    assert moments == [
        (0.0, 0), (0.125, 1), (0.25, 0), (0.375, 1), (0.5, 0), (0.625, 1), (0.75, 0), (0.875, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("rates", [[200.0], [50.0, 0.5], [3.0, 7.0, 11.0]])
def test_a_plan_is_in_order_and_holds_what_the_rates_ask_for(rates: list[float]) -> None:
    moments = list(plan(rates, seconds=10))
    assert moments == sorted(moments)
    for index, rate in enumerate(rates):
        own = [moment for moment, stream in moments if stream == index]
        assert len(own) == round(10 * rate)
        assert all(later - earlier == pytest.approx(1 / rate) for earlier, later in pairwise(own))


def test_a_request_keeps_its_length_whatever_its_number() -> None:
    request = post_request("/v1", key="k", body={"unit": f"user-{NUMBER}"})
    numbered = request.replace(NUMBER, f"{7:0{len(NUMBER)}d}")
    head, _, body = numbered.partition("\r\n\r\n")
    assert f"Content-Length: {len(body)}" in head
    assert body == '{"unit": "user-00000007"}'


@contextmanager
def _server(*, stall_at: int = -1, stall_s: float = 0.0, status: int = 200) -> Iterator[int]:
    """Answers one request after the other; stands still before one of them."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=100)
    served = 0
    turn = threading.Lock()

    def serve(connection: socket.socket) -> None:
        nonlocal served
        with connection:
            while connection.recv(65_536):
                with turn:
                    if served == stall_at:
                        time.sleep(stall_s)
                    served += 1
                    connection.sendall(_ANSWER % status)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def _stream(port: int, per_second: float) -> Stream:
    return Stream(name="one", port=port, request=post_request("/", body={}), per_second=per_second)


def test_everybody_who_came_during_a_stall_is_seen_to_wait() -> None:
    with _server(stall_at=10, stall_s=0.3) as port:
        found = open_loop.run([_stream(port, 100)], seconds=0.6).answers["one"]
    waited = [total for total in found.total_us if total is not None and total > 50_000]
    assert (found.failed, len(found.total_us)) == (0, 60)
    # A closed loop with one request in flight would have seen one long answer; here some 25 came in 250 ms.
    assert len(waited) >= 20


def test_what_is_not_200_fails_and_has_no_latency() -> None:
    with _server(status=503) as port:
        found = open_loop.run([_stream(port, 50)], seconds=0.2).answers["one"]
    assert (dict(found.statuses), found.failed, found.total_us) == ({"503": 10}, 10, [None] * 10)


def test_a_connection_that_breaks_fails_its_request_alone() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        for _ in range(3):
            listening.accept()[0].close()

    threading.Thread(target=hang_up, daemon=True).start()
    found = open_loop.run([_stream(listening.getsockname()[1], 30)], seconds=0.1).answers["one"]
    listening.close()
    assert dict(found.statuses) == {"broken": 3}
