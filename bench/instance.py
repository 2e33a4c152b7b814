"""A real instance for a benchmark: PostgreSQL that syncs to disk, the demo project, one serving node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from promptstore.local import commands
from promptstore.local.config import LocalConfig
from promptstore.local.embedded import ROOT, embedded_postgres, embedded_valkey, running
from promptstore.local.home import Home, new_master_key, new_secret_key
from promptstore.local.ports import free_port
from promptstore.local.readiness import Probe, file_probe, http_probe
from promptstore.local.service import Service

FEATURE = "config-assistant"


@dataclass(frozen=True, kw_only=True)
class Instance:
    """`environment` is what its processes see, `key` a service key of production."""

    home: Home
    environment: Mapping[str, str]
    key: str

    @property
    def serving_port(self) -> int:
        return int(self.environment["SERVE_PORT"])

    @property
    def console_port(self) -> int:
        return int(self.environment["PORT"])


@contextmanager
def instance(*, broker: bool = False) -> Iterator[Instance]:
    """Migrated, with the demo project loaded; nothing serves yet. Everything is removed afterwards.

    Workers need `broker`; publishing runs in the process that commits, and needs none.
    """
    directory = Path(tempfile.mkdtemp(prefix="ps-bench-"))
    try:
        with (
            embedded_postgres(directory, durable=True) as database,
            embedded_valkey(directory) if broker else nullcontext("redis://127.0.0.1:1/0") as broker_url,
        ):
            serve_port = free_port()
            environment = {
                **os.environ,
                "DATABASE_URL": database.app_url,
                "BROKER_URL": broker_url,
                "PROMPTSTORE_HOME": str(directory),
                "PROMPTSTORE_MASTER_KEY": new_master_key(),
                "PROMPTSTORE_SECRET_KEY": new_secret_key(),
                "PROMPTSTORE_LOG_LEVEL": "WARNING",
                "PORT": str(free_port()),
                "NODE_NAME": "bench",
                "SERVE_PORT": str(serve_port),
                "SERVING_URL": f"http://127.0.0.1:{serve_port}",
                "DJANGO_SETTINGS_MODULE": "promptstore.settings",
            }
            owner = {**environment, "DATABASE_OWNER_URL": database.owner_url}
            _run(commands.MIGRATE, owner)
            _run(commands.BOOTSTRAP, environment)
            _run(commands.LOAD_DEMO, environment)
            access = json.loads((directory / "demo.json").read_text(encoding="utf-8"))
            yield Instance(
                home=Home.open(directory), environment=environment, key=access["keys"]["production"]
            )
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def serving_node(made: Instance) -> Iterator[int]:
    """The serving node as `make run` starts it; yields its process id."""
    with _server("serving", commands.SERVING, made, made.serving_port) as pid:
        yield pid


@contextmanager
def console(made: Instance) -> Iterator[int]:
    """The console as `make run` starts it; yields its process id."""
    command = commands.console(LocalConfig(home=made.home.path, port=made.console_port))
    with _server("console", command, made, made.console_port) as pid:
        yield pid


@contextmanager
def celery(made: Instance, name: str) -> Iterator[int]:
    """The `worker`, `controller` or `scheduler` as `make run` starts it; yields its process id."""
    chosen = {"worker": commands.WORKER, "controller": commands.CONTROLLER}
    mark = made.home.run / f"{name}.ready"
    with _running(
        name,
        chosen.get(name) or commands.scheduler(made.home),
        made,
        ready=file_probe(mark),
        ready_mark=mark,
        more={commands.READY_FILE_VARIABLE: str(mark)},
    ) as pid:
        yield pid


@contextmanager
def scripted_provider(made: Instance, script: Mapping[str, object]) -> Iterator[tuple[int, int]]:
    """A model provider that answers from `script`; yields process id and port."""
    port, file = free_port(), made.home.path / "script.json"
    file.write_text(json.dumps(script), encoding="utf-8")
    command = (sys.executable, "-m", "providers.scripted", "--port", str(port), "--script", str(file))
    with _server("provider", command, made, port, ready="/_calls") as pid:
        yield pid, port


@contextmanager
def raw_server(made: Instance, *, body_bytes: int) -> Iterator[tuple[int, int]]:
    """The baseline: the same server with a handler that does nothing; yields process id and port."""
    port = free_port()
    command = (sys.executable, "-m", "bench.raw_server", str(port), str(body_bytes))
    with _server("raw", command, made, port) as pid:
        yield pid, port


@contextmanager
def _server(
    name: str, command: tuple[str, ...], made: Instance, port: int, *, ready: str = "/readyz"
) -> Iterator[int]:
    with _running(name, command, made, ready=http_probe(f"http://127.0.0.1:{port}", ready=ready)) as pid:
        yield pid


@contextmanager
def _running(
    name: str,
    command: tuple[str, ...],
    made: Instance,
    *,
    ready: Probe,
    ready_mark: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[int]:
    service = Service(
        name=name,
        title=name,
        command=command,
        environment={**made.environment, **(more or {})},
        directory=ROOT,
        ready=ready,
        ready_mark=ready_mark,
    )
    with running(service, made.home) as process:
        assert process.pid is not None, "it is running"
        yield process.pid


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode()[-4000:]}")
