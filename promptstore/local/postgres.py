"""An embedded PostgreSQL on a unix socket: its URLs, its roles, and the server as a child."""

from __future__ import annotations

import hashlib
import os
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from promptstore.local import roles
from promptstore.local.account import ServerAccount, server_account
from promptstore.local.home import Home, new_password
from promptstore.local.postgres_data import SUPERUSER, PostgresData, program, server_environment
from promptstore.local.readiness import postgres_probe
from promptstore.local.service import Service

# The port is only the suffix of the socket's name; every URL names it, so that PGPORT cannot interfere.
PORT = 5432
# sun_path holds 108 bytes with its final NUL (unix(7)).
SOCKET_PATH_LIMIT = 107


@dataclass(frozen=True, kw_only=True)
class EmbeddedPostgres:
    """One cluster below a home. `durable=False` trades safety for speed: for tests only."""

    home: Home
    durable: bool = True
    account: ServerAccount | None = field(default_factory=server_account)

    @property
    def directory(self) -> Path:
        """Everything of the server, owned by its account."""
        return self.home.path / "postgres"

    @property
    def socket_directory(self) -> Path:
        """Below the home if the socket's name is short enough, else in the directory for temporary files."""
        inside = self.directory / "socket"
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT:
            return inside
        key = hashlib.sha256(f"{os.geteuid()}:{self.home.path}".encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"promptstore-{key}"

    @property
    def app_url(self) -> str:
        """`DATABASE_URL`."""
        return self._url(roles.APPLICATION)

    @property
    def owner_url(self) -> str:
        """`DATABASE_OWNER_URL`."""
        return self._url(roles.OWNER)

    def superuser_url(self, database: str = "postgres") -> str:
        """For this package alone."""
        return self._url(SUPERUSER, database=database)

    def prepare(self) -> None:
        """Make the directories and, the first time, the cluster. Raises `LocalError`."""
        self._data.prepare(
            superuser_password=self._password(SUPERUSER), socket_directory=self.socket_directory
        )

    def service(self) -> Service:
        """The server as a child; ready when it accepts sessions."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": '"{}"'.format(str(self.socket_directory).replace('"', '""')),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Service(
            name="postgres",
            title="PostgreSQL",
            command=(str(program("postgres")), "-D", str(self._data.path), "-p", str(PORT), *options),
            environment=server_environment(),
            directory=self.directory,
            ready=postgres_probe(self.superuser_url()),
            # Recovery after a crash takes as long as there is log to replay.
            ready_timeout_s=120,
            # Fast shutdown: sessions are ended, transactions rolled back, the last checkpoint written.
            stop_signal=signal.SIGINT,
            stop_timeout_s=20,
            account=self.account,
            enter_any_directory=self._data.is_locked_in(),
        )

    def ensure_roles(self) -> None:
        """Roles, database and extensions; databases made later (by tests) inherit them from template1."""
        owner = roles.Role(roles.OWNER, self._password(roles.OWNER))
        application = roles.Role(roles.APPLICATION, self._password(roles.APPLICATION))
        roles.ensure_roles(self.superuser_url(), owner=owner, application=application)
        with psycopg.connect(self.superuser_url("template1"), autocommit=True) as connection:
            roles.install_extensions(connection)
            roles.grant_application(connection, owner=owner.name, application=application.name)

    @property
    def _data(self) -> PostgresData:
        return PostgresData(directory=self.directory, account=self.account, durable=self.durable)

    def _password(self, role: str) -> str:
        needed_by = self._data.path if role == SUPERUSER else None
        file = self.home.secret_file(f"database_{role}", new_password, needed_by=needed_by)
        return file.read_text(encoding="utf-8").strip()

    def _url(self, user: str, *, database: str = roles.DATABASE) -> str:
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{user}:{self._password(user)}@/{database}?host={host}&port={PORT}"
