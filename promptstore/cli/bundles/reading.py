"""Reading a bundle's archive and JSON strictly: one form for each content, so that no byte can change unseen.

Nothing is unpacked and nothing is written, so a hostile name or size has nowhere to go.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from typing import Any, Final

import rfc8785

MAX_BYTES: Final = 128 * 1024 * 1024
MAX_MEMBERS: Final = 20_000
INDEX: Final = "bundle.json"
SIGNATURE: Final = "signature.json"
_BLOCK: Final = tarfile.BLOCKSIZE
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAMES: Final = re.compile(
    r"(?:bundle|signature|manifest|release)\.json|samples\.jsonl|audit/(?:chain\.json|events\.jsonl)"
    r"|artifacts/(?:prompts|models|config)/[a-z0-9][a-z0-9._-]*\.json"
    rf"|(?:promotions|rollouts|incidents)/{_UUID}\.json"
    r"|reports/[0-9a-f]{64}\.json|keys/[A-Za-z0-9-]+\.json"
)
# From here on neither Python nor JavaScript tells integers apart, so canonical JSON writes them as floats.
_EXACT: Final = 2**53


class MalformedError(Exception):
    """The file is no bundle; the message says what is wrong with it."""


def read_members(data: bytes) -> dict[str, bytes]:
    """The members in their order. Raises `MalformedError` for anything but the one archive that this content makes."""
    members: dict[str, bytes] = {}
    position = 0
    while any(header := data[position : position + _BLOCK]):
        name, size = _header(header)
        end = position + _BLOCK + size
        padded = end + -size % _BLOCK
        if padded > len(data):
            raise MalformedError(f"{name} is longer than the file")
        if any(data[end:padded]):
            raise MalformedError(f"there is something behind the end of {name}")
        if name in members:
            raise MalformedError(f"{name} is there twice")
        members[name] = data[position + _BLOCK : end]
        if len(members) > MAX_MEMBERS:
            raise MalformedError(f"it holds more than {MAX_MEMBERS:,} members")
        position = padded
    if data[position:] != bytes(2 * _BLOCK):
        raise MalformedError("its end is missing, or something follows it")
    names = list(members)
    if names[:2] != [INDEX, SIGNATURE] or names[2:] != sorted(names[2:]):
        raise MalformedError("its members are not in their order")
    return members


def parse(data: bytes) -> Any:
    """A JSON value; raises `ValueError` for a key twice, for what is no JSON, and for what is not in canonical form."""
    value = json.loads(
        data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer
    )
    if canonical(value) != data:
        raise ValueError("the JSON is not in its canonical form")
    return value


def parse_lines(data: bytes) -> list[Any]:
    """One canonical JSON value a line, each line ended."""
    if data and not data.endswith(b"\n"):
        raise ValueError("the last line does not end")
    return [parse(line) for line in data.split(b"\n")[:-1]]


def canonical(value: Any) -> bytes:
    """RFC 8785. Raises `ValueError` for what has no canonical form."""
    return rfc8785.dumps(value)


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """The digest of a value's canonical form."""
    return sha256(canonical(value))


def _header(header: bytes) -> tuple[str, int]:
    try:
        info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        plain = tarfile.TarInfo(info.name)
        plain.size, plain.mode = info.size, 0o644
        rebuilt = plain.tobuf(tarfile.USTAR_FORMAT)
    except (tarfile.TarError, ValueError) as error:
        raise MalformedError(f"it is no tar archive, or damaged: {error}") from error
    if not _NAMES.fullmatch(info.name) or info.size < 0:
        raise MalformedError(f"{info.name[:120]!r} does not belong into a bundle")
    if rebuilt != header:
        raise MalformedError(f"the header of {info.name} was changed")
    return info.name, info.size


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names the same key twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integer(text: str) -> int | float:
    value = int(text)
    return value if abs(value) < _EXACT else float(text)
