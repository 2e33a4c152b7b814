"""JSON documents from files or standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from promptstore.cli.exits import CommandError, Exit, usage

MAX_BYTES = 2 * 1024 * 1024


def read_json(file: Path, *, field: str = "FILE") -> Any:
    """The JSON value in `file`; `-` is standard input.

    Raises `CommandError`: usage for a file that cannot be read, a finding for one that holds no valid JSON.
    """
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise usage(f"{file} cannot be read: {error.strerror}.", field=field) from error
    if len(data) > MAX_BYTES:
        raise usage(f"{file} is larger than {MAX_BYTES // (1024 * 1024)} MB.", field=field)
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        problem = {"code": "invalid_json", "detail": f"{file} is not valid JSON: {error}.", "field": field}
        raise CommandError(Exit.FINDINGS, problem) from error


def read_object(file: Path, *, field: str = "FILE") -> dict[str, Any]:
    """As `read_json`, and it must be an object."""
    value = read_json(file, field=field)
    if not isinstance(value, dict):
        problem = {"code": "invalid_json", "detail": f"{file} holds no JSON object.", "field": field}
        raise CommandError(Exit.FINDINGS, problem)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names the same key twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
