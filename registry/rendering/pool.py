"""A few warm preview workers, shared by the threads of a process."""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Any, Final

from registry.rendering.errors import RenderError
from registry.rendering.worker_process import WorkerGoneError, WorkerProcess, WorkerTimeoutError

MAX_REQUESTS_PER_WORKER: Final = 2_000
BUSY_WAIT_S: Final = 5.0


class PreviewPool:
    """At most `size` workers at once, started when needed and kept for the next request.

    Safe from many threads: a worker belongs to one thread while it answers. A worker that is late, dies or
    ran out of memory is killed and not used again.
    """

    def __init__(self, size: int = 2) -> None:
        self._slots = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[WorkerProcess] = []
        self._closed = False

    def run(self, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """The worker's answer. Raises `RenderError` with `timeout`, `crashed` or `busy`.

        The clock of `timeout_s` starts when a worker is ready, not while one starts.
        """
        if not self._slots.acquire(timeout=BUSY_WAIT_S):
            raise RenderError("busy", "All preview workers are busy; try again in a moment.")
        try:
            return self._run(request, timeout_s)
        finally:
            self._slots.release()

    def _run(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        worker = self._take()
        reuse = False
        try:
            started = time.monotonic()
            try:
                answer = worker.ask(request, timeout_s)
            except WorkerTimeoutError:
                message = f"Rendering took longer than {timeout_s:g} s and was stopped."
                raise RenderError("timeout", message) from None
            except WorkerGoneError:
                if time.monotonic() - started >= timeout_s:
                    message = f"Rendering took longer than {timeout_s:g} s and was stopped."
                    raise RenderError("timeout", message) from None
                message = "Rendering stopped the preview worker; the template asks for too much."
                raise RenderError("crashed", message) from None
            reuse = not answer.get("last") and worker.served < MAX_REQUESTS_PER_WORKER
            return answer
        finally:
            self._give_back(worker, reuse=reuse)

    def _take(self) -> WorkerProcess:
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                try:
                    return WorkerProcess()
                except (OSError, WorkerTimeoutError, WorkerGoneError) as error:
                    message = "The preview worker could not be started."
                    raise RenderError("crashed", message) from error
            if worker.alive:
                return worker
            worker.kill()

    def _give_back(self, worker: WorkerProcess, *, reuse: bool) -> None:
        with self._lock:
            if reuse and not self._closed:
                self._idle.append(worker)
                return
        worker.kill()

    def close(self) -> None:
        """End the idle workers; those that are answering end when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()

    def abandon(self) -> None:
        """Forget the workers without ending them: what a forked child does with its parent's pool."""
        for worker in self._idle:
            worker.close_pipes()
        self._idle = []


_pool: PreviewPool | None = None
_pool_lock = threading.Lock()


def shared_pool() -> PreviewPool:
    """The pool of this process, made at first use and closed at exit."""
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = PreviewPool()
            atexit.register(_pool.close)
        return _pool


def _after_fork() -> None:
    """A child must not talk to its parent's workers: two processes on one pipe would mix their answers."""
    global _pool, _pool_lock
    _pool_lock = threading.Lock()
    if _pool is not None:
        atexit.unregister(_pool.close)
        _pool.abandon()
        _pool = None


os.register_at_fork(after_in_child=_after_fork)
