"""Run tests against stock servers: this machine's PostgreSQL (15 or newer), Redis or Valkey, and PgBouncer between.

`python -m tests.stock [pytest arguments]` starts all three on free loopback ports, runs pytest and stops them. PgBouncer pools
by transaction, so what needs a session of its own cannot hide. Needs `initdb`, `redis-server` or `valkey-server`, and
`pgbouncer`; on Debian: `apt-get install postgresql redis-server pgbouncer`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from promptstore.local.account import ServerAccount, server_account
from promptstore.local.init_db import init_db
from promptstore.local.ports import free_port

# Debian keeps the server's programs out of PATH.
_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))[::-1]
_READY_S = 30


class MissingProgramError(Exception):
    """A server that this machine lacks."""


def program(*names: str) -> str:
    """The path of the first of `names` that is installed. Raises `MissingProgramError`."""
    path = os.pathsep.join([*map(str, _PLACES), os.environ.get("PATH", ""), "/usr/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise MissingProgramError(f"{' or '.join(names)} is not installed")


@contextmanager
def stock_servers(home: Path) -> Iterator[dict[str, str]]:
    """The environment that points the product at the three servers, with roles and database in place."""
    account = server_account()
    home.chmod(0o755)  # PostgreSQL runs as another user when we are root
    with ExitStack() as stack:
        postgres, broker, bouncer = free_port(), free_port(), free_port()
        _start(stack, _postgres(home, postgres, account), account, postgres)
        _start(stack, _broker(home, broker), None, broker)
        urls = {
            "DATABASE_OWNER_URL": f"postgresql://stock_owner:owner@127.0.0.1:{postgres}/stock",
            "DATABASE_URL": f"postgresql://stock_app:app@127.0.0.1:{postgres}/stock",
        }
        init_db(
            superuser_url=f"postgresql://postgres@127.0.0.1:{postgres}/postgres",
            owner_url=urls["DATABASE_OWNER_URL"],
            application_url=urls["DATABASE_URL"],
        )
        _start(stack, _bouncer(home, bouncer, postgres, account), account, bouncer)
        yield {
            "DATABASE_OWNER_URL": urls["DATABASE_OWNER_URL"],
            "DATABASE_URL": f"postgresql://stock_app:app@127.0.0.1:{bouncer}/stock",
            "BROKER_URL": f"redis://127.0.0.1:{broker}/0",
            "PROMPTSTORE_TRANSACTION_POOLING": "true",
        }


def _postgres(home: Path, port: int, account: ServerAccount | None) -> list[str]:
    data = home / "postgres"
    data.mkdir(mode=0o700)
    if account:
        account.own(data)
    subprocess.run(
        [program("initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"],
        check=True,
        stdout=subprocess.DEVNULL,
        user=account.uid if account else None,
        group=account.gid if account else None,
        cwd="/",
    )
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",
    }
    return [program("postgres"), "-D", str(data), *(f"--{name}={value}" for name, value in settings.items())]


def _broker(home: Path, port: int) -> list[str]:
    data = home / "broker"
    data.mkdir()
    server = program("valkey-server", "redis-server")
    return [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(data), "--appendonly", "yes"]


def _bouncer(home: Path, port: int, postgres: int, account: ServerAccount | None) -> list[str]:
    file = home / "pgbouncer.ini"
    users = home / "pgbouncer.txt"
    users.write_text('"stock_app" "app"\n"stock_owner" "owner"\n')
    file.write_text(
        f"""[databases]
* = host=127.0.0.1 port={postgres}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {users}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
server_idle_timeout = 1
ignore_startup_parameters = extra_float_digits
"""
    )
    if account:
        account.own(file)
        account.own(users)
    return [program("pgbouncer"), str(file)]


def _start(stack: ExitStack, command: Sequence[str], account: ServerAccount | None, port: int) -> None:
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=account.uid if account else None,
        group=account.gid if account else None,
        cwd="/",
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise MissingProgramError(f"{command[0]} does not get ready")


def main(arguments: Sequence[str]) -> int:
    """The exit code of pytest; exits with 1 and a sentence where a server is missing."""
    try:
        with tempfile.TemporaryDirectory(prefix="ps-stock-") as home, stock_servers(Path(home)) as found:
            command = [sys.executable, "-m", "promptstore.local.testing", *arguments]
            return subprocess.run(command, env={**os.environ, **found}, check=False).returncode
    except MissingProgramError as error:
        sys.exit(f"error: {error}; apt-get install postgresql redis-server pgbouncer")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
