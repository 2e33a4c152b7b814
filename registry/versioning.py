"""Order among the published versions of one artifact. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import semver

from promptstore.core.errors import InvalidInput
from registry.errors import VersionExists, VersionNotHigher
from registry.rendering.versions import VersionError, parse_version

MAX_NUMBER = 99_999_999


def read_version(text: str, *, field: str = "version") -> semver.Version:
    """A semantic version; a leading `v` is optional. Raises `InvalidInput` (`invalid_version`)."""
    try:
        version = semver.Version.parse(parse_version(text))
    except VersionError as error:
        raise InvalidInput(str(error), code="invalid_version", field=field) from error
    if version.build:
        raise InvalidInput(
            f"Leave out “+{version.build[:40]}”: build metadata does not order versions.",
            code="invalid_version",
            field=field,
        )
    if max(version.major, version.minor, version.patch) > MAX_NUMBER:
        raise InvalidInput(
            "This version has a number that is too large.", code="invalid_version", field=field
        )
    return version


def order_key(version: semver.Version) -> str:
    """Text that sorts as versions do (semver.org §11), under any collation: digits and the letters a to f only."""
    numbers = f"{version.major:08d}{version.minor:08d}{version.patch:08d}"
    if version.prerelease is None:
        return numbers + "f"
    return numbers + "0" + "".join(_identifier_key(part) for part in version.prerelease.split("."))


def _identifier_key(identifier: str) -> str:
    """Numbers sort before words and by value; a shorter list of identifiers before its continuation."""
    if identifier.isdigit():
        return f"1{len(identifier):02d}{identifier}"
    return "2" + identifier.encode().hex() + "00"


def highest(versions: Iterable[str]) -> semver.Version | None:
    """The highest of the published versions, or None."""
    return max((semver.Version.parse(version) for version in versions), default=None)


def check_follows(version: semver.Version, published: Iterable[str], *, name: str) -> None:
    """Raise `VersionExists` or `VersionNotHigher` unless `version` is above everything published."""
    taken = list(published)
    if str(version) in taken:
        raise VersionExists(
            f"{name} {version} is published already and never changes. Choose a higher version.",
            field="version",
        )
    top = highest(taken)
    if top is not None and version <= top:
        raise VersionNotHigher(
            f"{version} is not above {top}, the highest published version of {name}. "
            f"Use for example {top.bump_patch()} or {top.bump_minor()}.",
            field="version",
            extra={"highest": str(top)},
        )
