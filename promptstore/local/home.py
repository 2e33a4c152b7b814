"""The directory an instance keeps everything in: `$PROMPTSTORE_HOME`."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from promptstore.local.errors import LocalError


@dataclass(frozen=True)
class Home:
    """A data directory and the places in it."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> Home:
        """Create the directory if need be. An existing one keeps its permissions.

        As root the database runs under an account of its own and must pass through, so others may enter
        but not list; what lies inside is private by the umask of the supervisor.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.mkdir(exist_ok=True)
                path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except OSError as error:
            raise LocalError(f"PROMPTSTORE_HOME: cannot create {path}: {error.strerror}") from error
        if not os.access(path, os.W_OK | os.X_OK):
            raise LocalError(
                f"PROMPTSTORE_HOME: {path} is not writable by this user; choose another directory"
            )
        return cls(path)

    def directory(self, *names: str) -> Path:
        """A private directory below the home, created on demand."""
        path = self.path.joinpath(*names)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    @property
    def logs(self) -> Path:
        """One log file per child."""
        return self.directory("logs")

    @property
    def run(self) -> Path:
        """What describes running processes: lock, pid records, readiness marks."""
        return self.directory("run")

    @property
    def demo_file(self) -> Path:
        """URLs, passwords and keys of the demo project, written by its loader."""
        return self.path / "demo.json"

    @property
    def model_address_file(self) -> Path:
        """Where the demo's endpoint finds the model, written once it does."""
        return self.path / "model_address"

    def model_address(self) -> str:
        """The content of `model_address_file`; empty before the first start, and in homes of earlier versions."""
        file = self.model_address_file
        return file.read_text(encoding="utf-8").strip() if file.exists() else ""

    def secret_file(self, name: str, make: Callable[[], str], *, needed_by: Path | None = None) -> Path:
        """The file of a secret, made once and readable by its owner only.

        A missing secret is an error when `needed_by` exists: data that only the old secret opens.
        """
        path = self.directory("secrets") / name
        if path.exists():
            return path
        if needed_by is not None and needed_by.exists():
            raise LocalError(
                f"{path} is missing, but {needed_by.parent} was made with it. Restore the file from a "
                f"backup, or remove {self.path} to start over without its data."
            )
        write_private(path, make())
        return path


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; readers see the old or the new content, and nobody else sees either."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def new_secret_key() -> str:
    """For sessions and signed cookies."""
    return secrets.token_urlsafe(50)


def new_master_key() -> str:
    """32 random bytes in base64: what stored credentials are sealed with."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def new_password() -> str:
    """192 random bits in hexadecimal, so that it needs no quoting in URLs and configuration files."""
    return secrets.token_hex(24)
