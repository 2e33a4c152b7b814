"""A bounded stream of chat completions, and what became of each."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

THREADS = 3
PAUSE_S = 0.03
_units = count(1)


@dataclass
class Load:
    """`session` marks its calls. `answered` holds the inference ids of complete answers with status 200."""

    port: int
    key: str
    session: str
    answered: dict[str, str] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    broken: int = 0
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, repr=False)

    def arms(self) -> set[str]:
        return set(self.answered.values())

    def start(self) -> None:
        for number in range(THREADS):
            thread = threading.Thread(target=self._run, name=f"load-{number}")
            self._threads.append(thread)
            thread.start()
            time.sleep(PAUSE_S / THREADS)  # spread over the pause, not in step

    def stop(self) -> None:
        """No more calls; those under way are waited for."""
        self._stop.set()
        for thread in self._threads:
            thread.join(15)

    def _run(self) -> None:
        connection = self._connect()
        while not self._stop.is_set():
            try:
                self._call(connection)
            except (OSError, http.client.HTTPException):
                self.broken += 1
                connection.close()
                connection = self._connect()
                self._stop.wait(0.1)
            self._stop.wait(PAUSE_S)
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def _call(self, connection: http.client.HTTPConnection) -> None:
        body = {
            "model": "assistant",
            "unit": f"{self.session}-{next(_units)}",
            "session": self.session,
            "prompt_variables": {"request": "Less noise in the logs."},
        }
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", body=json.dumps(body), headers=headers)
        response = connection.getresponse()
        response.read()
        if response.status == 200:
            self.answered[response.headers["x-promptstore-inference"]] = response.headers["x-promptstore-arm"]
        else:
            self.refused.append(response.status)


@contextmanager
def load(port: int, key: str, session: str) -> Iterator[Load]:
    """Calls flow until the block ends; what is under way then is waited for."""
    made = Load(port=port, key=key, session=session)
    made.start()
    try:
        yield made
    finally:
        made.stop()
