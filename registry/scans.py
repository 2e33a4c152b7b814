"""What a scan of a source tree says when it is reported: one call site, and what could not be read. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

MAX_SITES = 2_000
MAX_UNREAD = 500


@dataclass(frozen=True, slots=True)
class ReportedSite:
    """A place in a source file that asks a model; `line` counts from 1. As `registry.inventory.CallSite`, to be kept."""

    fingerprint: str
    path: str
    line: int
    api: str
    governed: bool
    symbol: str = ""
    snippet: str = ""
    why: str = ""
    ignored: str = ""

    @property
    def state(self) -> str:
        """`governed`, `ignored` or `ungoverned`."""
        if self.governed:
            return "governed"
        return "ignored" if self.ignored else "ungoverned"

    def stored(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Counts:
    """Call sites by state."""

    governed: int
    ungoverned: int
    ignored: int

    @property
    def total(self) -> int:
        """Those that count for the share: what is ignored with a reason counts neither way."""
        return self.governed + self.ungoverned

    @property
    def share(self) -> float | None:
        """The governed fraction, or None where nothing asks a model."""
        return self.governed / self.total if self.total else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.governed + other.governed, self.ungoverned + other.ungoverned, self.ignored + other.ignored
        )


def counted(sites: Iterable[ReportedSite]) -> Counts:
    """How many of `sites` are in each state."""
    states = [site.state for site in sites]
    return Counts(*(states.count(state) for state in ("governed", "ungoverned", "ignored")))
