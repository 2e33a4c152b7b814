"""The bundle's file: a plain tar archive that the same content always makes byte by byte. Pure."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from typing import Any, Final

from promptstore.core.digests import canonical_json, digest_bytes, digest_json

FORMAT: Final = 1
INDEX: Final = "bundle.json"
SIGNATURE: Final = "signature.json"


def index_of(facts: Mapping[str, Any], members: Mapping[str, bytes]) -> dict[str, Any]:
    """The body of `bundle.json`: `facts`, each member with digest and size, and the root digest over all of it."""
    index = {
        "format": FORMAT,
        **facts,
        "members": [
            {"name": name, "sha256": digest_bytes(data), "size": len(data)}
            for name, data in sorted(members.items())
        ],
    }
    return {**index, "root": digest_json(index)}


def signed_message(root: str) -> bytes:
    """The bytes that a bundle's signature covers."""
    return f"promptstore-bundle-v1\n{root}\n".encode()


def pack(index: Mapping[str, Any], signature: Mapping[str, Any], members: Mapping[str, bytes]) -> bytes:
    """The archive: index and signature first, then the members by name; without times and owners.

    Raises `ValueError` for a name that does not fit into a tar header.
    """
    ordered = [
        (INDEX, canonical_json(index)),
        (SIGNATURE, canonical_json(signature)),
        *sorted(members.items()),
    ]
    return b"".join(_entry(name, data) for name, data in ordered) + bytes(2 * tarfile.BLOCKSIZE)


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    """Canonical JSON, one value a line."""
    return b"".join(canonical_json(row) + b"\n" for row in rows)


def _entry(name: str, data: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
