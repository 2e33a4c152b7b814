"""The last good state on disk: a node that starts without its database serves what it served before.

Documents are files named by their digest; a small manifest names what belongs together and is replaced
atomically. What is read back is verified like what comes from the database. Credentials stay sealed to the
node's key.
"""

from __future__ import annotations

import os
import shutil
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson
import structlog

from promptstore.core.killpoints import KillPoint, reach
from serving.state import ServingState
from serving.verify import SignedRoot

_log = structlog.get_logger("serving")

# Of the manifest; that of the documents in it is theirs (`serving.verify`).
FORMAT = 1
OLDEST_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SavedState:
    """What the disk holds, not verified yet. `as_of` is None when there is nothing."""

    roots: Sequence[SignedRoot] = ()
    documents: Mapping[str, bytes] = field(default_factory=dict)
    trusted: Mapping[str, bytes] = field(default_factory=dict)
    credentials: Mapping[str, bytes] = field(default_factory=dict)
    as_of: datetime | None = None


def save(directory: Path, state: ServingState, bodies: Mapping[str, bytes], *, as_of: datetime) -> None:
    """Write documents that are not there yet, then the manifest, then remove documents that nothing names.

    `as_of` is when the database last confirmed the state: what starts from it is stale since then.
    """
    _set_aside_newer(directory)
    documents = directory / "documents"
    documents.mkdir(parents=True, exist_ok=True, mode=0o700)
    # An earlier root of an environment comes first: what is read back goes through the same steps as it did then.
    roots = [root for environment in state.environments.values() for root in environment.roots]
    live = {digest for root in roots for digest in root.digests}
    for digest in sorted(live):
        path = documents / _file_name(digest)
        if not path.exists():
            _replace(path, bodies[digest])
    reach(KillPoint.DISK_AFTER_DOCUMENTS)
    manifest = {
        "format": FORMAT,
        "saved_at": as_of.isoformat(),
        "roots": [
            {
                "environment_id": root.signed.environment_id,
                "body": b64encode(root.signed.body).decode(),
                "signature": b64encode(root.signed.signature).decode(),
                "key_id": root.signed.key_id,
            }
            for root in roots
        ],
        "trusted": _encoded(state.trusted),
        "credentials": _encoded(state.credentials),
    }
    _replace(directory / "manifest.json", orjson.dumps(manifest))
    reach(KillPoint.DISK_AFTER_MANIFEST)
    names = {_file_name(digest) for digest in live}
    for path in documents.iterdir():
        if path.name not in names:
            path.unlink()


def load(directory: Path) -> SavedState:
    """What was saved; empty when there is nothing, or nothing this version can read.

    Unreadable documents are left out.
    """
    try:
        manifest = orjson.loads((directory / "manifest.json").read_bytes())
        if not OLDEST_FORMAT <= manifest["format"] <= FORMAT:
            return SavedState()
        return SavedState(
            roots=[
                SignedRoot(
                    environment_id=entry["environment_id"],
                    body=b64decode(entry["body"]),
                    signature=b64decode(entry["signature"]),
                    key_id=entry["key_id"],
                )
                for entry in manifest["roots"]
            ],
            documents=_documents(directory / "documents"),
            trusted=_decoded(manifest["trusted"]),
            credentials=_decoded(manifest["credentials"]),
            as_of=datetime.fromisoformat(manifest["saved_at"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return SavedState()


def _set_aside_newer(directory: Path) -> None:
    """Keep what a later version saved here: it may come back, and this one cannot tell what is in it."""
    try:
        found = orjson.loads((directory / "manifest.json").read_bytes())["format"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if isinstance(found, int) and found > FORMAT:
        aside = directory.with_name(f"{directory.name}.format-{found}")
        shutil.rmtree(aside, ignore_errors=True)
        directory.rename(aside)
        _log.warning("state.set_aside", format=found, reads=FORMAT, directory=str(aside))


def _documents(directory: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in directory.iterdir():
        if path.suffix == ".json":
            try:
                found[f"sha256:{path.stem}"] = path.read_bytes()
            except OSError:
                continue
    return found


def _file_name(digest: str) -> str:
    return f"{digest.removeprefix('sha256:')}.json"


def _encoded(values: Mapping[str, bytes]) -> dict[str, str]:
    return {name: b64encode(value).decode() for name, value in values.items()}


def _decoded(values: Mapping[str, str]) -> dict[str, bytes]:
    return {name: b64decode(value) for name, value in values.items()}


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    reach(KillPoint.DISK_BEFORE_RENAME)
    temporary.replace(path)
