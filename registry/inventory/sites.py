from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

SNIPPET_CHARS = 160
# Snippets leave the machine: keys of providers by their beginnings, and any long text without a space between quotes.
_SECRET = re.compile(
    r"\b(?:sk|pk|rk|ps|pt|hf|gsk|ghp|gho|xox[abp]|AKIA|AIza)[-_]?[A-Za-z0-9][-_A-Za-z0-9]{11,}|(?<=[\"'`])[A-Za-z0-9_+/=-]{32,}(?=[\"'`])"
)


@dataclass(frozen=True, slots=True)
class CallSite:
    """One place in a source file that asks a model.

    `path` is relative to the scanned root with `/`; `line` and `column` count from 1. `symbol` is the enclosing function or
    class, empty at the top. `api` says what is called, such as `openai chat.completions.create`; `why` is how it was found
    governed, or what would make it so. `ignored` is the reason given in the source, empty where there is none.
    """

    path: str
    line: int
    column: int
    symbol: str
    api: str
    snippet: str
    governed: bool
    why: str = ""
    ignored: str = ""
    fingerprint: str = ""

    @property
    def is_finding(self) -> bool:
        """Whether somebody should look: neither governed nor ignored with a reason."""
        return not self.governed and not self.ignored


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that may ask a model and could not be read, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """All that one scan saw, by path and line. `files` counts those read."""

    sites: tuple[CallSite, ...]
    unread: tuple[Unread, ...]
    files: int

    @property
    def findings(self) -> tuple[CallSite, ...]:
        return tuple(site for site in self.sites if site.is_finding)

    @property
    def governed(self) -> int:
        return sum(site.governed for site in self.sites)

    @property
    def ignored(self) -> int:
        return sum(bool(site.ignored) and not site.governed for site in self.sites)


def printable(text: str) -> str:
    """The text with what moves a terminal's cursor, or cannot be encoded, written out: files of others are shown and sent."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def shortened(text: str) -> str:
    """Source as one line of at most 160 characters, without what looks like a key."""
    line = printable(_SECRET.sub("[hidden]", " ".join(text[:4_000].split())))
    return line if len(line) <= SNIPPET_CHARS else f"{line[: SNIPPET_CHARS - 1]}…"


def with_fingerprints(sites: Iterable[CallSite]) -> list[CallSite]:
    """The sites with ids that stay while lines move: of path, symbol, call and snippet, and a number among equals."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for site in sites:
        key = (site.path, site.symbol, site.api, site.snippet)
        text = "\0".join([*key, str(seen[key])])
        seen[key] += 1
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        found.append(replace(site, fingerprint=digest[:24]))
    return found
