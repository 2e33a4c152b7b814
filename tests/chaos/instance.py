"""A whole small instance whose parts can be killed and started again, each a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptstore.local import commands
from promptstore.local.embedded import ROOT, await_ready
from promptstore.local.home import Home
from promptstore.local.ports import free_port
from promptstore.local.postgres import EmbeddedPostgres
from promptstore.local.process import ManagedProcess
from promptstore.local.readiness import file_probe, http_probe
from promptstore.local.service import Service
from promptstore.local.valkey import EmbeddedValkey
from tests.chaos.small_disk import small_disk

POLL_S = 0.05
_WORKER = (*commands.CELERY, "worker", "-n", "worker@%h", "-Q", "default,controller", "-c", "2")
# Leaving first, the parts that need the others.
_LEAVE_IN_ORDER = ("beat", "second beat", "worker", "serving", "provider", "valkey", "postgres")


def eventually(check: Callable[[], bool], what: str, *, within_s: float = 30) -> None:
    """Wait for something that other processes bring about."""
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, f"did not happen within {within_s:.0f} s: {what}"
        time.sleep(POLL_S)


@dataclass
class Instance:
    """`environment` is what the application's processes see."""

    home: Home
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    provider_port: int
    environment: Mapping[str, str]
    _running: dict[str, ManagedProcess] = field(default_factory=dict)

    @property
    def serving_port(self) -> int:
        return int(self.environment["SERVE_PORT"])

    @property
    def provider_url(self) -> str:
        return f"http://127.0.0.1:{self.provider_port}/v1"

    def start(self, *names: str) -> None:
        """Start parts together and return when each says that it is ready."""
        services = {name: self._service(name) for name in names}
        for name, service in services.items():
            process = ManagedProcess(service, run_directory=self.home.run, log_directory=self.home.logs)
            process.start()
            self._running[name] = process
        for name, service in services.items():
            await_ready(self._running[name], service)

    def kill(self, name: str) -> None:
        """`kill -9`; whatever the part started goes with it."""
        process = self._running.pop(name)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: not process.running(), f"{name} is gone")

    def stop(self, *names: str) -> None:
        """Ask politely, then insist."""
        stopping = [self._running.pop(name) for name in names if name in self._running]
        for process in stopping:
            process.terminate()
        deadline = time.monotonic() + 10
        while any(process.running() for process in stopping) and time.monotonic() < deadline:
            time.sleep(POLL_S)
        for process in stopping:
            process.kill()

    def start_missing(self, *names: str) -> None:
        """Start what does not run, in this order."""
        for name in names:
            if name not in self._running or not self._running[name].running():
                self.start(name)

    def stop_all(self) -> None:
        for name in _LEAVE_IN_ORDER:
            self.stop(name)

    def log_of(self, name: str) -> str:
        return (self.home.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def ready(self) -> dict[str, Any]:
        """What the node says of itself."""
        return json.loads(self.get("/readyz")[1])  # type: ignore[no-any-return]

    def get(self, path: str, key: str = "") -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers (in lower case) of one answer of the node."""
        connection = http.client.HTTPConnection("127.0.0.1", self.serving_port, timeout=10)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, response.read(), headers
        finally:
            connection.close()

    def script(self, script: Mapping[str, Any]) -> None:
        """Tell the provider how to behave from now on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.provider_port, timeout=10)
        try:
            connection.request("PUT", "/_script", body=json.dumps(script))
            assert connection.getresponse().status == 200
        finally:
            connection.close()

    def _service(self, name: str) -> Service:
        if name == "postgres":
            return self.postgres.service()
        if name == "valkey":
            return self.valkey.service()
        if name in {"provider", "serving"}:
            command, port, paths = {
                "provider": (
                    (sys.executable, "-m", "providers.scripted", "--port", str(self.provider_port)),
                    self.provider_port,
                    "/_calls",
                ),
                "serving": (commands.SERVING, self.serving_port, "/readyz"),
            }[name]
            return self._application(name, command, ready=http_probe(f"http://127.0.0.1:{port}", ready=paths))
        if name == "worker":
            return self._celery(name, _WORKER)
        schedule = str(self.home.directory(name.replace(" ", "-")) / "schedule")
        return self._celery(name, (*commands.CELERY, "beat", "--schedule", schedule))

    def _celery(self, name: str, command: tuple[str, ...]) -> Service:
        mark = self.home.run / f"{name}.ready"
        return self._application(
            name,
            command,
            ready=file_probe(mark),
            ready_mark=mark,
            more={commands.READY_FILE_VARIABLE: str(mark)},
        )

    def _application(
        self, name: str, command: tuple[str, ...], *, more: Mapping[str, str] | None = None, **options: Any
    ) -> Service:
        environment = {**self.environment, **(more or {})}
        return Service(
            name=name, title=name, command=command, environment=environment, directory=ROOT, **options
        )


@contextmanager
def new_instance(*, postgres_disk_mb: int | None = None) -> Iterator[Instance]:
    """Servers and provider run, the database is migrated; the application's own parts wait to be started.

    Its directory is short, for the socket's sake, and goes with it. `postgres_disk_mb` gives Postgres a disk of its own of that
    size; where none can be mounted, the tests that want it are skipped.
    """
    directory = Path(tempfile.mkdtemp(prefix="ps-chaos-"))
    home = Home.open(directory)
    # Durable: without it, Postgres itself would lose commits at `kill -9`.
    postgres, valkey = EmbeddedPostgres(home=home, durable=True), EmbeddedValkey(home=home)
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "PROMPTSTORE_MASTER_KEY", "PROMPTSTORE_SECRET_KEY")
    made = Instance(
        home=home,
        postgres=postgres,
        valkey=valkey,
        provider_port=free_port(),
        environment={
            **{name: os.environ[name] for name in kept if name in os.environ},
            "DATABASE_URL": postgres.app_url,
            "BROKER_URL": valkey.url,
            "PROMPTSTORE_HOME": str(directory),
            "PROMPTSTORE_LOG_LEVEL": "INFO",
            "SERVE_PORT": str(free_port()),
            "SERVE_POLL_SECONDS": "1",
            "NODE_NAME": "chaos",
            "DJANGO_SETTINGS_MODULE": "promptstore.settings",
            "PYTHONUNBUFFERED": "1",
        },
    )
    disks = ExitStack()
    try:
        if postgres_disk_mb:
            disks.enter_context(small_disk(postgres.directory, megabytes=postgres_disk_mb))
        postgres.prepare()
        made.start("postgres", "valkey", "provider")
        postgres.ensure_roles()
        _run(commands.MIGRATE, {**made.environment, "DATABASE_OWNER_URL": postgres.owner_url})
        _run(commands.BOOTSTRAP, made.environment)
        yield made
    finally:
        made.stop_all()
        disks.close()
        shutil.rmtree(directory, ignore_errors=True)


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environment), capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()[-4000:]
