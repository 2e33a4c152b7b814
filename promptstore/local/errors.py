"""What can go wrong while the local instance starts, as messages for a person."""

from __future__ import annotations


class LocalError(Exception):
    """The instance cannot start; the message says why and what to do. The command exits with 1."""


class ConfigError(LocalError):
    """An environment variable has a value that cannot work; the message begins with its name."""

    def __init__(self, variable: str, message: str) -> None:
        super().__init__(f"{variable}: {message}")
        self.variable = variable


class StopRequested(Exception):
    """SIGINT, SIGTERM or SIGHUP arrived while something was being waited for."""
