"""Local commands use the database directly: find the instance, start Django, turn lost connections into an exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from promptstore.cli.exits import unreachable, usage

ROOT = Path(__file__).resolve().parents[2]


def home() -> Path:
    """`PROMPTSTORE_HOME`; a relative one lies in the checkout, as it does for `make run`."""
    return ROOT / Path(os.environ.get("PROMPTSTORE_HOME") or ".promptstore").expanduser()


def adopt_running_instance() -> None:
    """Where no database is configured: take the settings of the instance that `make run` keeps running in `home`."""
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        return
    try:
        published = json.loads((home() / "run" / "environment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for name, value in published.items():
        os.environ.setdefault(name, value)


def start_django() -> None:
    """Set the product up in this process. Raises `CommandError` when its settings cannot work."""
    adopt_running_instance()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptstore.settings")
    os.environ.setdefault("PROMPTSTORE_LOG_LEVEL", "WARNING")
    import django

    try:
        django.setup()
    except (ValueError, OSError) as error:
        raise usage(f"The configuration cannot work: {error}") from error


@contextmanager
def product() -> Iterator[None]:
    """A block that may query. A database that cannot be reached, or refuses us, ends the command with code 4."""
    start_django()
    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        text = str(error).strip().splitlines() or [type(error).__name__]
        raise unreachable(
            f"The database does not answer as it should: {text[0]} Run `promptctl doctor`.", code="database"
        ) from error
