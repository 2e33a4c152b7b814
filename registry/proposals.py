"""Which version a change deserves, and whether the one asked for will do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import semver

from registry.errors import BumpTooLow
from registry.rendering.spec import PromptSpec
from registry.rendering.versions import Bump, BumpReason, next_version, suggest_bump
from registry.versioning import check_follows, read_version

Published = tuple[str, PromptSpec]


@dataclass(frozen=True)
class Proposal:
    """The next version of a prompt, which part of the number rises, and why."""

    version: str
    bump: Bump | None
    reasons: tuple[BumpReason, ...]


def propose(spec: PromptSpec, *, latest: Published | None) -> Proposal:
    """What publishing `spec` after `latest` would be called; the first version has no bump."""
    if latest is None:
        return Proposal(next_version(None, Bump.PATCH), None, ())
    bump, reasons = suggest_bump(latest[1], spec)
    return Proposal(next_version(latest[0], bump), bump, reasons)


def choose_version(
    spec: PromptSpec, *, name: str, latest: Published | None, published: Sequence[str], wanted: str | None
) -> semver.Version:
    """The version asked for, or the proposed one.

    Raises `InvalidInput`, `VersionExists`, `VersionNotHigher`, and `BumpTooLow` when the change needs a higher number.
    """
    proposal = propose(spec, latest=latest)
    version = read_version(wanted or proposal.version)
    check_follows(version, published, name=name)
    least = semver.Version.parse(proposal.version)
    if latest is not None and version.finalize_version() < least:
        assert proposal.bump is not None, "a follower has a bump"
        raise BumpTooLow(
            f"{proposal.reasons[0].message if proposal.reasons else 'The prompt changed.'} "
            f"That is a {proposal.bump.value} change: use {least} or higher.",
            field="version",
            extra={
                "minimum": str(least),
                "bump": proposal.bump.value,
                "reasons": [reason.message for reason in proposal.reasons],
            },
        )
    return version
