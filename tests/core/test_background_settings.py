"""What background processes do when the broker is away."""

from __future__ import annotations

from kombu.utils.functional import retry_over_time

from promptstore.celery import app

CELERYS_DEFAULT = 100


def test_a_worker_never_gives_up_on_a_broker_that_is_away() -> None:
    attempts = 0

    def connect() -> int:
        nonlocal attempts
        attempts += 1
        if attempts <= CELERYS_DEFAULT + 50:
            raise ConnectionError
        return attempts

    limit = app.conf.broker_connection_max_retries
    assert limit is None
    retried = retry_over_time(  # type: ignore[no-untyped-call]
        connect, ConnectionError, max_retries=limit, interval_start=0, interval_step=0
    )
    assert retried == CELERYS_DEFAULT + 51
