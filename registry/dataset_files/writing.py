from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from registry.dataset_files.rows import JSON_SUFFIX, VARIABLE, FileFormat, guard_cell
from registry.datasets import NewCase

_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,60}")
Column = tuple[str, Callable[[NewCase], str]]


def write_cases(cases: Iterable[NewCase], file_format: FileFormat) -> str:
    """The cases as one file in the format."""
    found = list(cases)
    return _csv(found) if file_format is FileFormat.CSV else "".join(_json_line(case) for case in found)


def _json_line(case: NewCase) -> str:
    document = {"key": case.key, "feature": case.feature, **case.content.to_dict()}
    return json.dumps(document, ensure_ascii=False) + "\n"


def _csv(cases: Sequence[NewCase]) -> str:
    columns = _columns(cases)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([name for name, _ in columns])
    for case in cases:
        writer.writerow([guard_cell(cell(case)) for _, cell in columns])
    return file.getvalue()


def _columns(cases: Sequence[NewCase]) -> list[Column]:
    return [
        ("key", lambda case: case.key),
        ("feature", lambda case: case.feature or ""),
        *_variable_columns(cases),
        _expected_column(cases),
        _context_column(cases),
        _tags_column(cases),
        ("note", lambda case: case.content.note),
    ]


def _variable_columns(cases: Sequence[NewCase]) -> list[Column]:
    """One column for each variable; text as it is, where every value is a text, else as JSON."""
    names = list(dict.fromkeys(name for case in cases for name in case.content.variables))
    if not names or not all(_COLUMN_NAME.fullmatch(name) for name in names):
        return [(f"variables{JSON_SUFFIX}", lambda case: _json(dict(case.content.variables)))]
    columns: list[Column] = []
    for name in names:
        values = [case.content.variables[name] for case in cases if name in case.content.variables]
        plain = all(isinstance(value, str) and value for value in values)
        columns.append((f"{VARIABLE}{name}{'' if plain else JSON_SUFFIX}", _variable(name, plain=plain)))
    return columns


def _variable(name: str, *, plain: bool) -> Callable[[NewCase], str]:
    def cell(case: NewCase) -> str:
        if name not in case.content.variables:
            return ""
        value = case.content.variables[name]
        return value if plain else _json(value)

    return cell


def _expected_column(cases: Sequence[NewCase]) -> Column:
    values = [case.content.expected for case in cases]
    if all(value is None or (isinstance(value, str) and value) for value in values):
        return "expected", lambda case: case.content.expected or ""
    return (
        f"expected{JSON_SUFFIX}",
        lambda case: "" if case.content.expected is None else _json(case.content.expected),
    )


def _context_column(cases: Sequence[NewCase]) -> Column:
    if all(len(case.content.context) <= 1 for case in cases):
        return "context", lambda case: "".join(case.content.context)
    return (
        f"context{JSON_SUFFIX}",
        lambda case: _json(list(case.content.context)) if case.content.context else "",
    )


def _tags_column(cases: Sequence[NewCase]) -> Column:
    if all(tag == tag.strip() and "," not in tag for case in cases for tag in case.content.tags):
        return "tags", lambda case: ", ".join(case.content.tags)
    return f"tags{JSON_SUFFIX}", lambda case: _json(list(case.content.tags)) if case.content.tags else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
