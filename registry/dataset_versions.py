"""Which number a frozen dataset gets. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import semver

from registry.errors import BumpTooLow
from registry.rendering.versions import Bump, next_version
from registry.versioning import check_follows, read_version


@dataclass(frozen=True)
class Proposal:
    """The next number, which part of it rises (`None` for the first version), and why."""

    version: str
    bump: Bump | None
    reason: str


def next_after(latest: str | None, *, gone: bool) -> Proposal:
    """`gone`: a case of the latest version is not there any more as it was: changed, removed or erased."""
    if latest is None:
        return Proposal(next_version(None, Bump.MINOR), None, "the first version")
    if gone:
        return Proposal(
            next_version(latest, Bump.MAJOR),
            Bump.MAJOR,
            "cases were changed or taken out, so scores before and after cannot be compared",
        )
    return Proposal(next_version(latest, Bump.MINOR), Bump.MINOR, "cases were added")


def choose(wanted: str | None, *, proposed: Proposal, published: Iterable[str], name: str) -> semver.Version:
    """The version asked for, or the proposed one.

    Raises `InvalidInput`, `VersionExists`, `VersionNotHigher`, and `BumpTooLow` when the change needs a higher number.
    """
    version = read_version(wanted or proposed.version)
    check_follows(version, published, name=name)
    least = semver.Version.parse(proposed.version)
    if proposed.bump is not None and version.finalize_version() < least:
        raise BumpTooLow(
            f"Use {least} or higher: {proposed.reason}.",
            field="version",
            extra={"minimum": str(least), "bump": proposed.bump.value, "reasons": [proposed.reason]},
        )
    return version
