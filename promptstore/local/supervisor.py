"""Start children in order, keep them running, stop them in reverse order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from promptstore.local import logs
from promptstore.local.errors import LocalError, StopRequested
from promptstore.local.home import Home
from promptstore.local.process import ManagedProcess, describe_exit
from promptstore.local.progress import Progress
from promptstore.local.readiness import Readiness
from promptstore.local.service import Action, Service, Step, Task
from promptstore.local.stopping import StopSignals

POLL_S = 0.1
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 60.0
_BOUND_LOGS_EVERY_S = 30.0


def restart_delay_s(failures: int) -> float:
    """Exponential back-off: 0.5 s after the first failure in a row, doubling up to 30 s."""
    return float(min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (failures - 1)))


@dataclass
class _Watched:
    process: ManagedProcess
    failures: int = 0
    started_at: float = field(default_factory=time.monotonic)
    restart_at: float | None = None


class Supervisor:
    """Runs the steps of a plan in the foreground; single-threaded, in the main thread."""

    def __init__(
        self, steps: Sequence[Step], *, home: Home, progress: Progress, signals: StopSignals
    ) -> None:
        self._steps = steps
        self._home = home
        self._progress = progress
        self._signals = signals
        self._groups: list[list[_Watched]] = []
        self._task: ManagedProcess | None = None

    def run(self, *, ready: Callable[[], None], stopping: Callable[[], None] = lambda: None) -> None:
        """Start everything, call `ready`, supervise until asked to stop; in the end stop everything.

        Raises `LocalError` if a step fails; a request to stop is a normal end.
        """
        try:
            for step in self._steps:
                self._take(step)
            ready()
            self._supervise()
        except StopRequested:
            pass
        except LocalError:
            # Ctrl-C also reaches short helpers directly, and their failure is then part of stopping.
            if not self._signals.count:
                raise
        finally:
            stopping()
            self._stop_all()

    def _take(self, step: Step) -> None:
        self._signals.check()
        match step:
            case Action():
                with self._progress.step(step.title):
                    step.run()
            case Task():
                if step.wanted():
                    self._run_task(step)
            case services:
                self._start_group(services)

    def _run_task(self, task: Task) -> None:
        process = self._new(task)
        with self._progress.step(task.title):
            self._task = process
            process.start()
            while (code := process.returncode()) is None:
                self._signals.pause(POLL_S)
            self._task = None
            if code != 0:
                raise LocalError(process.failure())

    def _start_group(self, services: Sequence[Service]) -> None:
        group = [_Watched(self._new(service)) for service in services]
        self._groups.append(group)
        began = time.monotonic()
        for watched in group:
            watched.process.start()
        for watched, service in zip(group, services, strict=True):
            with self._progress.step(service.title):
                self._await(watched.process, service, began=began)

    def _await(self, process: ManagedProcess, service: Service, *, began: float) -> None:
        while (readiness := service.ready()) is not Readiness.READY:
            if process.returncode() is not None:
                raise LocalError(process.failure())
            if time.monotonic() - began > service.ready_timeout_s:
                if readiness is Readiness.ALIVE:
                    self._progress.line(
                        f"  ! {service.title} answers, but reports that it is not ready: {process.log}"
                    )
                    return
                raise LocalError(process.failure())
            self._signals.pause(POLL_S)
        if process.returncode() is not None:
            raise LocalError(process.failure())

    def _supervise(self) -> None:
        bounded_at = time.monotonic()
        while True:
            for group in self._groups:
                for watched in group:
                    self._look_after(watched)
            if time.monotonic() - bounded_at > _BOUND_LOGS_EVERY_S:
                bounded_at = time.monotonic()
                for path in self._home.logs.glob("*.log"):
                    logs.bound(path)
            self._signals.pause(POLL_S * 5)

    def _look_after(self, watched: _Watched) -> None:
        now, process = time.monotonic(), watched.process
        if watched.restart_at is not None:
            if now >= watched.restart_at:
                watched.restart_at, watched.started_at = None, now
                process.start()
            return
        code = process.returncode()
        if code is None:
            return
        watched.failures = 1 if now - watched.started_at > STEADY_S else watched.failures + 1
        delay = restart_delay_s(watched.failures)
        watched.restart_at = now + delay
        self._progress.line(
            f"  ! {process.spec.title} {describe_exit(code)}; starting it again in {delay:g} s. "
            f"The end of {process.log}:\n{logs.tail(process.log, lines=5)}"
        )

    def _stop_all(self) -> None:
        if self._task:
            self._stop([self._task], timeout_s=5)
        for group in reversed(self._groups):
            processes = [watched.process for watched in group]
            self._stop(
                processes,
                timeout_s=max(
                    watched.spec.stop_timeout_s for watched in processes if isinstance(watched.spec, Service)
                ),
            )

    def _stop(self, processes: Sequence[ManagedProcess], *, timeout_s: float) -> None:
        """Ask all at once, wait, and end what is left when time is up or a second signal hurries us."""
        asked = self._signals.count
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + timeout_s
        while any(process.running() for process in processes):
            if time.monotonic() > deadline or self._signals.count > max(asked, 1):
                for process in processes:
                    process.kill()
                return
            self._signals.wait(POLL_S)

    def _new(self, spec: Service | Task) -> ManagedProcess:
        process = ManagedProcess(spec, run_directory=self._home.run, log_directory=self._home.logs)
        logs.rotate(process.log)
        return process
