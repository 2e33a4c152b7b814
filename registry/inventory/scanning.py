from __future__ import annotations

import io
import tokenize
import warnings
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from registry.inventory.governing import Gateways
from registry.inventory.python_source import python_sites
from registry.inventory.sites import CallSite, Scan, Unread, printable, with_fingerprints
from registry.inventory.text_source import OTHERS, SCRIPTS, text_sites
from registry.inventory.walking import source_files

MAX_FILE_BYTES = 1024 * 1024
PYTHON = frozenset({".py", ".pyi", ".pyw"})
LANGUAGES = PYTHON | SCRIPTS | OTHERS


class UnreadableError(Exception):
    """A file whose calls cannot be seen; its text says why, for people."""


def scan_tree(roots: Iterable[Path], gateways: Gateways | None = None) -> Scan:
    """Scan files and directories. Paths in the result are relative to the root they were found under.

    A file that cannot be read is listed with its reason, never passed over in silence; so is a root that is not there.
    """
    sites: list[CallSite] = []
    unread: list[Unread] = []
    files = 0
    for root in roots:

        def unlisted(folder: Path, reason: str, root: Path = root) -> None:
            unread.append(Unread(_relative(folder, root), f"cannot be listed: {reason}"))

        for file in source_files(root, on_error=unlisted):
            if file.suffix.lower() not in LANGUAGES:
                continue
            path = _relative(file, root)
            try:
                sites += scan_source(_read(file), path, gateways)
            except UnreadableError as error:
                unread.append(Unread(path, str(error)))
            else:
                files += 1
    sites.sort(key=lambda site: (site.path, site.line, site.column))
    return Scan(tuple(with_fingerprints(sites)), tuple(unread), files)


def scan_source(data: bytes, path: str, gateways: Gateways | None = None) -> list[CallSite]:
    """The call sites of one file, told by its ending. Raises `UnreadableError`; nothing in a file makes it raise anything else."""
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableError(f"larger than {MAX_FILE_BYTES // 1024} KB")
    if b"\x00" in data:
        raise UnreadableError("binary, or not UTF-8")
    gateways = gateways or Gateways()
    suffix = PurePosixPath(path).suffix.lower()
    try:
        if suffix in PYTHON:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other people's invalid escapes
                return python_sites(_python_text(data), path, gateways)
        return text_sites(data.decode("utf-8", "replace"), path, suffix, gateways)
    except SyntaxError as error:
        raise UnreadableError(f"not valid Python: {error.msg}, line {error.lineno}") from error
    except (ValueError, LookupError) as error:
        raise UnreadableError(f"not readable: {error}"[:200]) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError("nested too deeply") from error


def _relative(file: Path, root: Path) -> str:
    return printable(file.name if file == root else file.relative_to(root).as_posix())


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"cannot be opened: {error.strerror}") from error


def _python_text(data: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
