"""One preview worker, seen from its parent."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from registry.rendering.frames import HEADER, MAX_RESPONSE_BYTES, encode_frame

START_TIMEOUT_S: Final = 20.0
_CHUNK: Final = 65_536


class WorkerTimeoutError(Exception):
    """The worker did not answer in time; it must be killed."""


class WorkerGoneError(Exception):
    """The worker ended, or answered nonsense; it must be replaced."""


class WorkerProcess:
    """Starts the process and waits until it is ready. Used by one thread at a time; end it with `kill`."""

    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-m", "registry.rendering.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
            env={"PYTHONPATH": root, "LC_ALL": "C.UTF-8"},  # no secret of ours is within a template's reach
            bufsize=0,
        )
        assert self._process.stdin is not None, "asked for a pipe"
        assert self._process.stdout is not None, "asked for a pipe"
        self._stdin = self._process.stdin
        self._stdout = self._process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        os.set_blocking(self._stdout.fileno(), False)
        self.served = 0
        try:
            self._exchange(b"", START_TIMEOUT_S)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs: somebody may have killed an idle worker."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Send a request and wait for the answer, `timeout_s` in all.

        Raises `WorkerTimeoutError` or `WorkerGoneError`; after either the worker is of no more use.
        """
        self.served += 1
        return self._exchange(encode_frame(request), timeout_s)

    def _exchange(self, to_send: bytes, timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        pending = memoryview(to_send)
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            if pending:
                selector.register(self._stdin, selectors.EVENT_WRITE)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise WorkerTimeoutError
                for key, _events in selector.select(left):
                    if key.fileobj is self._stdin:
                        pending = pending[self._write(pending) :]
                        if not pending:
                            selector.unregister(self._stdin)
                    else:
                        received += self._read()
                answer = _complete(received)
                if answer is not None:
                    return answer

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._stdin.fileno(), data[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError as error:
            raise WorkerGoneError from error

    def _read(self) -> bytes:
        try:
            data = os.read(self._stdout.fileno(), _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            raise WorkerGoneError
        return data

    def kill(self) -> None:
        """End the process at once and reap it."""
        self._process.kill()
        self.close_pipes()
        self._process.wait()

    def close_pipes(self) -> None:
        """Let go of the pipes, as a forked child does with its parent's workers."""
        self._stdin.close()
        self._stdout.close()


def _complete(received: bytearray) -> dict[str, Any] | None:
    """The answer, once all of it is there."""
    if len(received) < HEADER.size:
        return None
    (length,) = HEADER.unpack_from(received)
    if length > MAX_RESPONSE_BYTES:
        raise WorkerGoneError
    if len(received) < HEADER.size + length:
        return None
    answer = json.loads(bytes(received[HEADER.size : HEADER.size + length]))
    if not isinstance(answer, dict):
        raise WorkerGoneError
    return answer
