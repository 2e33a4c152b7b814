"""The instance that is backed up or restored: configured, running under `make run`, or at rest in `PROMPTSTORE_HOME`."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from promptstore.cli.backup.archive import KEYS
from promptstore.cli.backup.refusals import refused
from promptstore.cli.database import home, start_django
from promptstore.cli.exits import usage
from promptstore.local.embedded import embedded_postgres
from promptstore.local.home import Home, write_private
from promptstore.local.lock import HomeLock

_MASTER_KEY, _SECRET_KEY = "PROMPTSTORE_MASTER_KEY", "PROMPTSTORE_SECRET_KEY"
_KEY_FILES = {_MASTER_KEY: "master_key", _SECRET_KEY: "secret_key"}


@dataclass(frozen=True)
class Instance:
    """Its database under both roles, and its keys."""

    owner_url: str = field(repr=False)
    application_url: str = field(repr=False)
    master_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def database(self) -> str:
        return unquote(urlsplit(self.owner_url).path.lstrip("/"))

    @property
    def application_role(self) -> str:
        return unquote(urlsplit(self.application_url).username or "")

    @property
    def owner_role(self) -> str:
        return unquote(urlsplit(self.owner_url).username or "")

    @property
    def fingerprint(self) -> str:
        """Tells master keys apart and reveals nothing about them."""
        return self._derived("backup fingerprint").hex()[:16]

    @property
    def mac_key(self) -> bytes:
        """What backups are sealed with."""
        return self._derived("backup seal")

    def owner_url_of(self, database: str) -> str:
        return _naming(self.owner_url, database)

    def application_url_of(self, database: str) -> str:
        return _naming(self.application_url, database)

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self.master_key.encode(), purpose.encode(), hashlib.sha256)


@contextmanager
def instance(*, create: bool = False) -> Iterator[Instance]:
    """The instance, its database reachable until the block ends.

    One that rests in `PROMPTSTORE_HOME` has its embedded PostgreSQL started for the block, under the home's lock so that `make run`
    waits; `create` makes one where there is none. Raises `CommandError`, and `LocalError` where the server does not start.
    """
    with ExitStack() as stack:
        _use_key_files()
        if _at_rest():
            stack.enter_context(_embedded(create=create))
        start_django()
        from django.conf import settings

        from promptstore.core import crypto
        from promptstore.core.errors import DomainError

        if not settings.DATABASE_OWNER_URL:
            raise usage(
                "Backups are made and restored as the owner of the database.", field="DATABASE_OWNER_URL"
            )
        try:
            crypto.master_key()
        except DomainError as error:
            raise refused("master_key", f"{error.detail} A backup is sealed with it.") from error
        yield Instance(
            owner_url=settings.DATABASE_OWNER_URL,
            application_url=_past_the_pooler(settings.DATABASE_URL, settings.DATABASE_OWNER_URL)
            if settings.DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"]
            else settings.DATABASE_URL,
            master_key=settings.PROMPTSTORE_MASTER_KEY,
            # Commands run without one; a placeholder is no key.
            secret_key="" if settings.SECRET_KEY.startswith("unset-") else settings.SECRET_KEY,
        )


def master_key_is_configured() -> bool:
    """Whether this machine has a master key, in the environment or in `PROMPTSTORE_HOME`."""
    _use_key_files()
    return bool(os.environ.get("PROMPTSTORE_MASTER_KEY") or os.environ.get("PROMPTSTORE_MASTER_KEY_FILE"))


def keep_keys(keys: Mapping[str, str]) -> list[Path]:
    """Put keys from a backup where `make run` looks for them, unless there are some; returns what was written."""
    written = []
    for name in KEYS:
        path = Home.open(home().resolve()).directory("secrets") / Path(name).name
        if name in keys and not path.exists():
            write_private(path, keys[name])
            written.append(path)
    return written


def _use_key_files() -> None:
    """The keys that `make run` made, for a command that runs while it does not."""
    for variable, name in _KEY_FILES.items():
        path = home() / "secrets" / name
        if not os.environ.get(variable) and not os.environ.get(f"{variable}_FILE") and path.exists():
            os.environ[f"{variable}_FILE"] = str(path)


def _at_rest() -> bool:
    """Whether nothing names a database: none is configured, and `make run` does not keep one running."""
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        return False
    run = home() / "run"
    return not ((run / "environment.json").exists() and _held(run / "lock"))


def _held(lock: Path) -> bool:
    """Whether a living process holds the home; what a killed one published does not count."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


@contextmanager
def _embedded(*, create: bool) -> Iterator[None]:
    place = home().resolve()
    if not create and not (place / "postgres" / "data").exists():
        raise usage(
            f"There is no instance in {place}, and DATABASE_URL names none.", field="PROMPTSTORE_HOME"
        )
    # Keys and data are for this user alone, as under `make run`.
    before = os.umask(0o077)
    try:
        lock = HomeLock(Home.open(place).run / "lock")
        lock.acquire()
        try:
            with embedded_postgres(place) as urls:
                os.environ.update(DATABASE_URL=urls.app_url, DATABASE_OWNER_URL=urls.owner_url)
                yield
        finally:
            lock.release()
    finally:
        os.umask(before)


def _past_the_pooler(url: str, owner_url: str) -> str:
    """The application at the owner's address: a pooler knows no scratch database, and would keep sessions in it."""
    who = urlsplit(url).netloc.rpartition("@")[0]
    owner = urlsplit(owner_url)
    return owner._replace(netloc=f"{who}@{owner.netloc.rpartition('@')[2]}").geturl()


def _naming(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{quote(database, safe='')}").geturl()
