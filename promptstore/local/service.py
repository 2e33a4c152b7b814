"""What a child is, as data."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from promptstore.local.account import ServerAccount
from promptstore.local.readiness import Probe, always


@dataclass(frozen=True, kw_only=True)
class Service:
    """A long-running child. `environment` is complete: nothing is inherited."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    ready: Probe = always
    ready_timeout_s: float = 60.0
    ready_mark: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 10.0
    account: ServerAccount | None = None
    enter_any_directory: bool = False


@dataclass(frozen=True, kw_only=True)
class Task:
    """A command that runs once while the instance starts and must succeed."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    wanted: Callable[[], bool] = lambda: True
    show_output: bool = False


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something quick that the supervisor does itself between two steps."""

    title: str
    run: Callable[[], None]


Step = tuple[Service, ...] | Task | Action
