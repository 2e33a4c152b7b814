"""docker-compose.yml and the Dockerfile, run without Docker: the same commands, on this machine's loopback.

What differs from a container is only where things are: names of services become 127.0.0.1 with free ports, the image's
directories become temporary ones, and packages come from the installer's cache.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from promptstore.local.account import server_account
from promptstore.local.ports import free_port
from promptstore.local.postgres_data import program as postgres_program
from promptstore.local.valkey import program as valkey_program

ROOT: Final = Path(__file__).resolve().parents[2]
SECRETS: Final = {
    "POSTGRES_PASSWORD": "a",
    "DATABASE_OWNER_PASSWORD": "b",
    "DATABASE_APP_PASSWORD": "c",
    "BROKER_PASSWORD": "d",
    "PROMPTSTORE_SECRET_KEY": "0123456789abcdef" * 4,
    "PROMPTSTORE_MASTER_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")
_INSTRUCTION = re.compile(r"^(FROM|RUN|CMD)\s+((?:.*\\\n)*.*)$", re.MULTILINE)


def interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    """A compose file's values with their variables filled in, as `docker compose config` shows them."""
    if isinstance(value, dict):
        return {key: interpolate(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolate(one, variables) for one in value]
    if not isinstance(value, str):
        return value

    def filled(match: re.Match[str]) -> str:
        name, rule, text = match.groups()
        if variables.get(name):
            return variables[name]
        if rule == "-":
            return text
        raise KeyError(f"{name}: {text or 'not set'}")

    return "$".join(_VARIABLE.sub(filled, part) for part in value.split("$$"))


def services() -> dict[str, dict[str, Any]]:
    """The services of docker-compose.yml with a filled-in `.env`."""
    with (ROOT / "docker-compose.yml").open() as file:
        found: dict[str, dict[str, Any]] = interpolate(yaml.safe_load(file), SECRETS)["services"]
    return found


def instructions(stage: str) -> list[tuple[str, str]]:
    """RUN and CMD of one stage of the Dockerfile, in order, with continued lines joined."""
    found: list[tuple[str, str]] = []
    current = ""
    for kind, text in _INSTRUCTION.findall((ROOT / "Dockerfile").read_text()):
        if kind == "FROM":
            current = text.split(" AS ")[1].strip()
        elif current == stage:
            found.append((kind, text.replace("\\\n", " ")))
    return found


@dataclass
class Machine:
    """Stands for the containers' host: `up` starts a service in the order of its dependencies."""

    directory: Path
    stack: ExitStack
    ports: dict[int, int] = field(
        default_factory=lambda: {port: free_port() for port in (5432, 6379, 8000, 8001)}
    )
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def build(self) -> None:
        """The Dockerfile's build stage: an empty Python, then its RUN lines."""
        python = self.directory / "python"
        subprocess.run([sys.executable, "-m", "venv", str(python)], check=True)
        environment = {**os.environ, "PATH": f"{python}/bin:{os.environ['PATH']}"}
        for _, text in instructions("build"):
            command = (
                text.replace("/opt/venv", str(self.venv))
                .replace("--no-cache-dir", "")
                .replace("--no-cache", "")
            )
            subprocess.run(["sh", "-ec", command], cwd=ROOT, env=environment, check=True)

    @property
    def venv(self) -> Path:
        return self.directory / "venv"

    @property
    def home(self) -> Path:
        return self.directory / "home"

    def up(self, name: str) -> None:
        """Start a service after those it depends on, and wait as compose does: until it is healthy, or ended well."""
        if name in self.started:
            return
        service = services()[name]
        for before in service.get("depends_on", {}):
            self.up(before)
        if name == "postgres":
            self._initialise_postgres()
        process = subprocess.Popen(
            self.command(name),
            cwd=ROOT if "build" in service else self.directory,
            env=self.environment(service),
            stdout=(self.directory / f"{name}.log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started[name] = process
        self.stack.callback(self._stop, process, service)
        if service.get("restart") == "no":
            assert process.wait(timeout=120) == 0, self.log(name)
        else:
            deadline = time.monotonic() + 90
            while self.check_health(name) != 0:
                assert process.poll() is None, self.log(name)
                assert time.monotonic() < deadline, self.log(name)
                time.sleep(0.3)

    def check_health(self, name: str) -> int:
        """The exit code of the service's health check."""
        kind, *test = services()[name]["healthcheck"]["test"]
        command = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        return subprocess.run(
            self._here(command),
            env=self.environment(services()[name]),
            cwd=ROOT,
            capture_output=True,
            timeout=60,
            check=False,
        ).returncode

    def command(self, name: str) -> list[str]:
        """What the container would run: the service's command, else the image's."""
        service = services()[name]
        if name == "postgres":
            # The image's own: its entry point makes the data directory and starts the server.
            account = server_account()
            server = [
                str(postgres_program("postgres")),
                "-D",
                str(self.directory / "pgdata"),
                "-p",
                str(self.ports[5432]),
            ]
            server += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
            return (
                ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", *server]
                if account
                else server
            )
        if command := service.get("command"):
            return self._here(command)
        (_, text), *_ = [one for one in instructions("app") if one[0] == "CMD"]
        return self._here(list(yaml.safe_load(text)))

    def environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        """The service's environment and the image's."""
        shown = {name: self._here([str(value)])[0] for name, value in service.get("environment", {}).items()}
        programs = [self.venv / "bin", self.directory / "shims", postgres_program("postgres").parent]
        return {
            **shown,
            "PATH": os.pathsep.join([*map(str, programs), "/usr/bin", "/bin"]),
            "PROMPTSTORE_HOME": str(self.home),
            "DJANGO_SETTINGS_MODULE": "promptstore.settings",
            "HOSTNAME": socket.gethostname(),
            "PGPORT": str(self.ports[5432]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(errors="replace")[-3000:]

    def _here(self, command: list[str]) -> list[str]:
        def moved(text: str) -> str:
            text = text.replace("@postgres:5432", f"@127.0.0.1:{self.ports[5432]}")
            text = text.replace("@valkey:6379", f"@127.0.0.1:{self.ports[6379]}")
            text = text.replace("/var/lib/promptstore", str(self.home)).replace("0.0.0.0", "127.0.0.1")
            return re.sub(r"\b(8000|8001)\b", lambda match: str(self.ports[int(match[1])]), text)

        return [moved(text) for text in command]

    def _initialise_postgres(self) -> None:
        data, password = self.directory / "pgdata", self.directory / "pgpassword"
        password.write_text(SECRETS["POSTGRES_PASSWORD"])
        data.mkdir(mode=0o700)
        account = server_account()
        if account:
            account.own(data)
            account.own(password)
        options = shlex.split(services()["postgres"]["environment"]["POSTGRES_INITDB_ARGS"])
        subprocess.run(
            [
                str(postgres_program("initdb")),
                "-D",
                str(data),
                "-U",
                "postgres",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                *options,
            ],
            check=True,
            capture_output=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            cwd="/",
        )

    def prepare(self) -> None:
        """Directories, and a `valkey-server` that listens where this machine has room."""
        self.home.mkdir()
        shims = self.directory / "shims"
        shims.mkdir()
        data = self.directory / "valkey"
        data.mkdir()
        real = valkey_program()
        _script(
            shims / "valkey-server",
            f'exec {shlex.quote(str(real))} --port {self.ports[6379]} --dir {shlex.quote(str(data))} "$@"',
        )
        ping = (
            "import os, redis, sys; server = redis.Redis(port=int(sys.argv[1]), password=os.environ['REDISCLI_AUTH'])\n"
            "print(getattr(server, sys.argv[2])() and 'PONG')"
        )
        _script(shims / "valkey-cli", f'exec python -c {shlex.quote(ping)} {self.ports[6379]} "$@"')

    @staticmethod
    def _stop(process: subprocess.Popen[bytes], service: Mapping[str, Any]) -> None:
        if process.poll() is not None:
            return
        process.send_signal(signal.Signals[service.get("stop_signal", "SIGTERM")])
        try:
            process.wait(timeout=float(str(service.get("stop_grace_period", "10s")).removesuffix("s")))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
