"""The backup's file: a tar archive whose last member seals every byte before it.

Members are written in a fixed order, the manifest behind what it describes. `seal.json` holds the SHA-256 of everything before it
and, for whoever has the master key, a MAC of that digest: the first finds damage, the second a forgery. The archive is read with
Python's `tarfile` and any `tar`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from promptstore.cli.backup.manifest import FORMAT, Manifest, Member

DUMP = "database.dump"
MANIFEST = "manifest.json"
SEAL = "seal.json"
KEYS = ("keys/master_key", "keys/secret_key")
_BLOCK = 1024 * 1024
_MAX_MANIFEST_BYTES = 64 * 1024 * 1024
_MAX_TAIL_BYTES = 8 * 1024


class DamagedError(Exception):
    """The file is no whole backup; the message says what is wrong with it."""


class NewerFormatError(Exception):
    """A whole backup, in a format that this version does not know."""


def sha256_of(path: Path) -> str:
    """The digest of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(name: str, path: Path) -> Member:
    """A file as the manifest lists it."""
    return Member(name=name, size=path.stat().st_size, sha256=sha256_of(path))


def write_archive(target: Path, *, members: Mapping[str, Path], manifest: Manifest, mac_key: bytes) -> None:
    """Write the backup beside its place, flush it to disk, then give it its name; readable by its owner only.

    Raises `FileExistsError` when `target` has come into being meanwhile: nothing is overwritten.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(file, members=members, manifest=manifest, mac_key=mac_key)
            file.flush()
            os.fsync(file.fileno())
        # A rename would replace what is there; a name that was taken in this step is ours.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(target.parent)


def read_manifest(path: Path, *, mac_key: bytes | None = None) -> Manifest:
    """Check every byte of a backup and return its manifest.

    With `mac_key` the seal must also have been made under it. Raises `DamagedError`, `NewerFormatError`, and `OSError` where the
    file cannot be read.
    """
    try:
        return _read(path, mac_key)
    except (tarfile.TarError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is no whole backup: {error}") from error


def content(path: Path, name: str) -> Iterator[bytes]:
    """The bytes of one member, piece by piece, of a backup that was checked before."""
    with tarfile.open(path, "r:") as tar:
        source = tar.extractfile(name)
        assert source is not None
        while block := source.read(_BLOCK):
            yield block


def _write(file: IO[bytes], *, members: Mapping[str, Path], manifest: Manifest, mac_key: bytes) -> None:
    digest = hashlib.sha256()

    def put(data: bytes) -> None:
        digest.update(data)
        file.write(data)

    for name, path in members.items():
        size = path.stat().st_size
        put(_header(name, size))
        with path.open("rb") as source:
            while block := source.read(_BLOCK):
                put(block)
        put(_padding(size))
    body = json.dumps(manifest.to_dict(), indent=1, ensure_ascii=False).encode()
    put(_header(MANIFEST, len(body)) + body + _padding(len(body)))
    file.write(_tail(digest.hexdigest(), _mac(digest.hexdigest(), mac_key)))


def _read(path: Path, mac_key: bytes | None) -> Manifest:
    with path.open("rb") as file:
        sizes, body, digest = _walk(file)
        tail = file.read(_MAX_TAIL_BYTES)
    seal = json.loads(tail[tarfile.BLOCKSIZE :].rstrip(b"\0"))
    if tail != _tail(digest, str(seal["mac"])):
        raise ValueError("a byte of it was changed, or its end is missing")
    if mac_key is not None and not hmac.compare_digest(seal["mac"], _mac(digest, mac_key)):
        raise ValueError("its seal was not made under this master key")
    found = json.loads(body)
    if found["format"] > FORMAT:
        raise NewerFormatError
    manifest = Manifest.from_dict(found)
    if {member.name: member.size for member in manifest.members} != sizes:
        raise ValueError("the manifest lists other files than it holds")
    return manifest


def _walk(file: IO[bytes]) -> tuple[dict[str, int], bytes, str]:
    """Sizes of the members before the manifest, the manifest, and the digest of everything before the seal."""
    digest = hashlib.sha256()
    sizes: dict[str, int] = {}
    while True:
        header = file.read(tarfile.BLOCKSIZE)
        info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
        if info.name == SEAL:
            raise ValueError("it has no manifest")
        if (
            info.name not in {DUMP, MANIFEST, *KEYS}
            or info.name in sizes
            or header != _header(info.name, info.size)
        ):
            raise ValueError(f"{info.name} does not belong into a backup")
        digest.update(header)
        padded = info.size + len(_padding(info.size))
        if info.name == MANIFEST:
            if padded > _MAX_MANIFEST_BYTES:
                raise ValueError("its manifest is too large")
            body = file.read(padded)
            digest.update(body)
            return sizes, body[: info.size], digest.hexdigest()
        sizes[info.name] = info.size
        while padded:
            block = file.read(min(_BLOCK, padded))
            if not block:
                raise ValueError("its end is missing")
            digest.update(block)
            padded -= len(block)


def _header(name: str, size: int) -> bytes:
    """One block; moment and owner are left out, so that the same content makes the same bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _tail(digest: str, mac: str) -> bytes:
    """The seal and the two empty blocks that end an archive."""
    body = json.dumps({"sha256": digest, "mac": mac}).encode()
    return _header(SEAL, len(body)) + body + _padding(len(body)) + bytes(2 * tarfile.BLOCKSIZE)


def _mac(digest: str, key: bytes) -> str:
    return hmac.digest(key, digest.encode(), "sha256").hex()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
