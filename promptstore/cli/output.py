"""What a person or a script sees: text, or with `--json` one JSON value on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from promptstore.cli.exits import CommandError


def show(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """`value` as JSON, or `lines` of text."""
    if as_json:
        print(json.dumps(value, indent=2, ensure_ascii=False, default=str), flush=True)
        return
    for line in lines:
        print(line, flush=True)


def complain(error: CommandError, *, as_json: bool) -> None:
    """The refusal on standard error: what happened, at which field, and what was found there."""
    if as_json:
        print(json.dumps(error.problem, indent=2, ensure_ascii=False, default=str), file=sys.stderr)
        return
    for line in problem_lines(error.problem):
        print(line, file=sys.stderr)


def problem_lines(problem: Mapping[str, Any]) -> list[str]:
    """A problem document (RFC 9457) for people."""
    lines = [f"error: {problem.get('detail') or problem.get('title') or 'no reason was given'}"]
    errors = [error for error in problem.get("errors") or [] if isinstance(error, Mapping)]
    lines += [f"  {_place(error)}{error.get('message') or error.get('detail') or error}" for error in errors]
    if problem.get("field") and not errors:
        lines.append(f"  field: {problem['field']}")
    if problem.get("allowed_actions"):
        lines.append(f"  possible now: {', '.join(problem['allowed_actions'])}")
    if problem.get("code") not in {None, "usage"}:
        status = f", HTTP {problem['status']}" if problem.get("status") else ""
        lines.append(f"  code: {problem['code']}{status}")
    return lines


def _place(error: Mapping[str, Any]) -> str:
    """Where an entry of `errors` points, such as `messages[0]:3:14: `."""
    where = str(error.get("field") or "")
    if error.get("message_index") is not None:
        where = f"messages[{error['message_index']}]"
    if error.get("line") is not None:
        where += f":{error['line']}:{error.get('column', 1)}"
    return f"{where}: " if where else ""


def table(rows: Iterable[Iterable[object]]) -> list[str]:
    """Rows in aligned columns."""
    cells = [[str(cell) for cell in row] for row in rows]
    if not cells:
        return []
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def weight(basis_points: int) -> str:
    """A weight as people say it: `2 %`."""
    return f"{basis_points / 100:g} %"
