"""PostgreSQL's own `pg_dump` and `pg_restore`, of the server's major version."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from promptstore.cli.exits import CommandError, Exit
from promptstore.local.errors import LocalError
from promptstore.local.postgres_data import program, server_environment

# libpq's variables for what a connection URL may say.
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


@dataclass(frozen=True)
class Programs:
    """The two programs; an older one cannot read a newer server, and a newer one speaks words an older server does not know."""

    dump: Path
    restore: Path

    @classmethod
    def of_major(cls, major: int) -> Programs:
        """Raises `CommandError` that says what to install."""
        for directory in _directories(major):
            found = cls(directory / "pg_dump", directory / "pg_restore")
            if _major(found.dump) == major and _major(found.restore) == major:
                return found
        detail = (
            f"The server is PostgreSQL {major}, and there is no pg_dump and pg_restore {major} here. Install them (Debian and "
            f"Ubuntu: apt install postgresql-client-{major}) or put their directory first into PATH."
        )
        raise CommandError(Exit.FINDINGS, {"code": "pg_dump_missing", "detail": detail})


def run(command: Sequence[str | Path], *, url: str, source: Iterable[bytes] = ()) -> None:
    """Run one of them on the database that `url` names, with `source` as its standard input.

    Secrets travel in the environment, never in the command line. Raises `CommandError` with the end of what the program said.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, env=connection_environment(url), stdin=subprocess.PIPE, stdout=said, stderr=said
        )
        assert process.stdin is not None
        with process:
            # A program that has failed reads no more; why is in what it said.
            with contextlib.suppress(BrokenPipeError), process.stdin:
                for block in source:
                    process.stdin.write(block)
            code = process.wait()
        if code:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            detail = f"{Path(command[0]).name} failed: {' '.join(lines[-3:]) or f'exit code {code}'}"
            raise CommandError(Exit.FINDINGS, {"code": "pg_dump_failed", "detail": detail})


def connection_environment(url: str) -> Mapping[str, str]:
    """The environment of a PostgreSQL program: nothing of the caller's PG* variables, all of the URL's parameters."""
    given = conninfo_to_dict(url)
    return server_environment() | {
        variable: str(given[name]) for name, variable in _VARIABLES.items() if given.get(name) is not None
    }


def _directories(major: int) -> Iterator[Path]:
    # With a server of one's own the embedded distribution need not be installed.
    with contextlib.suppress(LocalError):
        yield program("pg_dump").parent
    yield Path(f"/usr/lib/postgresql/{major}/bin")
    yield from (Path(place) for place in os.get_exec_path())


def _major(path: Path) -> int | None:
    if shutil.which(path) is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)(?:\.\d+|devel|beta|rc)", said)
    return int(found[1]) if found else None
