"""Start, watch and stop one child."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from promptstore.local import child, logs
from promptstore.local.account import ServerAccount
from promptstore.local.records import TOKEN_VARIABLE, ProcessRecord, started_at
from promptstore.local.service import Service, Task


class ManagedProcess:
    """One run of a service or task, in a session of its own so that Ctrl-C reaches only the supervisor.

    Start it from the main thread: the kernel sends the parent-death signal when the starting *thread* ends.
    """

    def __init__(self, spec: Service | Task, *, run_directory: Path, log_directory: Path) -> None:
        self.spec = spec
        self.log = log_directory / f"{spec.name}.log"
        self._run_directory = run_directory
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs or waits to be reaped."""
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        """Launch the command; its output goes to the log, or to our standard output if a task shows it."""
        spec, token = self.spec, secrets.token_hex(8)
        if isinstance(spec, Service) and spec.ready_mark:
            spec.ready_mark.unlink(missing_ok=True)
        stop_signal = spec.stop_signal if isinstance(spec, Service) else signal.SIGTERM
        tied = launcher(death_signal=stop_signal)
        if isinstance(spec, Service) and spec.account:
            tied = launcher(
                death_signal=stop_signal,
                account=spec.account,
                enter_any_directory=spec.enter_any_directory,
            )
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [*tied, *spec.command],
                stdin=subprocess.DEVNULL,
                stdout=None if isinstance(spec, Task) and spec.show_output else log,
                stderr=log,
                cwd=spec.directory,
                env={**spec.environment, TOKEN_VARIABLE: token},
                start_new_session=True,
            )
        if started := started_at(self._popen.pid):
            ProcessRecord(spec.name, self._popen.pid, started, token, int(stop_signal)).write(
                self._run_directory
            )

    def returncode(self) -> int | None:
        """`None` while it runs; then the exit code, negative for a signal, once its group is gone too."""
        if self._popen is None:
            return None
        if self._popen.returncode is None and self._has_exited():
            # Its group goes before it is reaped: until then the kernel cannot give the number away again.
            self._signal_group(signal.SIGKILL)
            self._popen.wait()
            (self._run_directory / f"{self.spec.name}.pid").unlink(missing_ok=True)
        return self._popen.returncode

    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self.returncode() is None

    def terminate(self) -> None:
        """Ask it to stop, in the way it likes best."""
        if self._popen and self.running():
            self._popen.send_signal(
                self.spec.stop_signal if isinstance(self.spec, Service) else signal.SIGTERM
            )

    def kill(self) -> None:
        """End it and its whole group at once."""
        if self._popen and self.running():
            self._signal_group(signal.SIGKILL)
            self._popen.wait()
            (self._run_directory / f"{self.spec.name}.pid").unlink(missing_ok=True)

    def failure(self) -> str:
        """For a person: how it ended and the end of its log."""
        code = self.returncode()
        how = "does not get ready" if code is None else describe_exit(code)
        tail = logs.tail(self.log)
        return f"{self.spec.title} {how}." + (f" The end of {self.log}:\n{tail}" if tail else "")

    def _has_exited(self) -> bool:
        assert self._popen is not None
        return os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _signal_group(self, number: signal.Signals) -> None:
        assert self._popen is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)


def describe_exit(code: int) -> str:
    """An exit code in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def launcher(
    *, death_signal: int, account: ServerAccount | None = None, enter_any_directory: bool = False
) -> list[str]:
    """The words before a command that tie it to this process: see child.py."""
    command = [sys.executable, "-I", "-S", str(Path(child.__file__).resolve())]
    command += ["--parent", str(os.getpid()), "--death-signal", str(int(death_signal))]
    command += ["--user", account.name] if account else []
    command += ["--enter-any-directory"] if account and enter_any_directory else []
    return [*command, "--"]
