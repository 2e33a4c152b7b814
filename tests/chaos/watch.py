"""An eye on the stored weights while everything around them is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

_QUERY = """
SELECT r.id::text, r.state, r.step_index, r.weight_bp, p.plan->'steps'->r.step_index->>'weight_bp'
FROM releases_rollout r JOIN releases_promotion p ON p.id = r.promotion_id
"""


class Watch:
    """Every state that was seen of every rollout, and the faults in it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._last: dict[str, tuple[str, int]] = {}
        self.seen = 0
        self.faults: list[str] = []

    def run(self) -> None:
        while not self._stop.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=2) as connection:
                    while not self._stop.wait(0.05):
                        self._look(connection.execute(_QUERY).fetchall())
            except psycopg.Error:
                time.sleep(0.2)  # Postgres is down, on purpose

    def _look(self, rows: list[tuple[Any, ...]]) -> None:
        self.seen += 1
        for rollout, state, step, weight, allowed in rows:
            if weight > int(allowed):
                self.faults.append(f"{rollout} has {weight} at step {step}, which allows {allowed}")
            before_state, before_weight = self._last.get(rollout, ("pending", 0))
            if before_state in {"rolling_back", "rolled_back"} and weight > before_weight:
                self.faults.append(f"{rollout} went up from {before_weight} to {weight} while rolling back")
            if (
                before_state not in {"rolling_back", "rolled_back"}
                and state == "running"
                and weight < before_weight
            ):
                self.faults.append(f"{rollout} lost weight without a rollback")
            self._last[rollout] = (state, weight)

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def watch(url: str) -> Iterator[Watch]:
    made = Watch(url)
    thread = threading.Thread(target=made.run, name="watch")
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join(10)
