"""A real instance for a benchmark: PostgreSQL that syncs to disk, the demo project, one serving node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from promptstore.local import commands
from promptstore.local.embedded import ROOT, embedded_postgres, running
from promptstore.local.home import Home, new_master_key, new_secret_key
from promptstore.local.ports import free_port
from promptstore.local.readiness import http_probe
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


@contextmanager
def instance() -> Iterator[Instance]:
    """Migrated, with the demo project loaded; nothing serves yet. Everything is removed afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="ps-bench-"))
    try:
        with embedded_postgres(directory, durable=True) as database:
            serve_port = free_port()
            environment = {
                **os.environ,
                "DATABASE_URL": database.app_url,
                # Publishing runs in the process that commits; no worker takes part, so no broker does.
                "BROKER_URL": "redis://127.0.0.1:1/0",
                "PROMPTSTORE_HOME": str(directory),
                "PROMPTSTORE_MASTER_KEY": new_master_key(),
                "PROMPTSTORE_SECRET_KEY": new_secret_key(),
                "PROMPTSTORE_LOG_LEVEL": "WARNING",
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
def raw_server(made: Instance, *, body_bytes: int) -> Iterator[tuple[int, int]]:
    """The baseline: the same server with a handler that does nothing; yields process id and port."""
    port = free_port()
    command = (sys.executable, "-m", "bench.raw_server", str(port), str(body_bytes))
    with _server("raw", command, made, port) as pid:
        yield pid, port


@contextmanager
def _server(name: str, command: tuple[str, ...], made: Instance, port: int) -> Iterator[int]:
    service = Service(
        name=name,
        title=name,
        command=command,
        environment=made.environment,
        directory=ROOT,
        ready=http_probe(f"http://127.0.0.1:{port}"),
    )
    with running(service, made.home) as process:
        assert process.pid is not None, "it is running"
        yield process.pid


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode()[-4000:]}")
