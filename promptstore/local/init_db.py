"""Make the roles and the database that the configured URLs name, on a server of your own.

`python -m promptstore.local.init_db` reads `DATABASE_SUPERUSER_URL`, `DATABASE_OWNER_URL` and `DATABASE_URL`.
"""

from __future__ import annotations

import os
import sys

import psycopg
from psycopg.conninfo import conninfo_to_dict

from promptstore.local.errors import ConfigError, LocalError
from promptstore.local.roles import Role, ensure_roles


def init_db(*, superuser_url: str, owner_url: str, application_url: str) -> None:
    """Idempotent; see `ensure_roles`, which this calls with the names and passwords in the URLs.

    Raises `ConfigError` for a URL without a user, password or database, or for URLs that name different
    databases or the same role; `LocalError` and `psycopg.Error` as `ensure_roles` does.
    """
    owner, database = _role("DATABASE_OWNER_URL", owner_url)
    application, other = _role("DATABASE_URL", application_url)
    if database != other:
        raise ConfigError("DATABASE_URL", f"names database {other}, but DATABASE_OWNER_URL names {database}")
    if owner.name == application.name:
        raise ConfigError(
            "DATABASE_URL", f"names role {owner.name}, which is the owner; use a role of its own"
        )
    ensure_roles(superuser_url, owner=owner, application=application, database=database)


def _role(variable: str, url: str) -> tuple[Role, str]:
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigError(variable, f"is no connection URL: {error}") from error
    user, password, database = (str(parts.get(name) or "") for name in ("user", "password", "dbname"))
    if not (user and password and database):
        raise ConfigError(variable, "must be written postgresql://user:password@host:port/database")
    return Role(user, password), database


def main() -> int:
    """Exit codes: 0 done, 1 refused or not reachable."""
    try:
        init_db(
            superuser_url=os.environ.get("DATABASE_SUPERUSER_URL", ""),
            owner_url=os.environ.get("DATABASE_OWNER_URL", ""),
            application_url=os.environ.get("DATABASE_URL", ""),
        )
    except (LocalError, psycopg.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("Roles, database and extensions are in place.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
