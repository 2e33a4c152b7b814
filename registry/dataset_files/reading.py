from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from promptstore.core.errors import InvalidInput
from promptstore.core.http.parsers import loads
from registry.dataset_files.rows import JSON_SUFFIX, MAX_FILE_BYTES, VARIABLE, FileFormat, unguard_cell
from registry.datasets import MAX_CASES, CaseContent, NewCase
from registry.names import check_name

MAX_FINDINGS = 50
MEMBERS = ("key", "feature", "variables", "expected", "context", "tags", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a file, at a line from 1."""

    line: int
    message: str
    field: str = ""
    severity: str = "error"


@dataclass(frozen=True)
class ReadFile:
    """Cases with the line that each stands on, and what could not be read."""

    cases: tuple[NewCase, ...]
    lines: tuple[int, ...]
    findings: tuple[Finding, ...]


class _BadRow(ValueError):
    """A row that holds no case; `field` names the column or member."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def read_cases(text: str, file_format: FileFormat) -> ReadFile:
    """Every case of a file, or what is wrong, up to fifty findings. Raises `InvalidInput` for a file that is too large."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_FILE_BYTES:
        raise InvalidInput(
            f"The file is larger than {MAX_FILE_BYTES:,} bytes. Import it in parts.",
            code="too_long",
            field="text",
        )
    rows = _csv_rows(text) if file_format is FileFormat.CSV else _json_rows(text)
    cases: list[NewCase] = []
    lines: list[int] = []
    findings: list[Finding] = []
    seen: dict[str, int] = {}
    for line, row in rows:
        if len(findings) >= MAX_FINDINGS:
            findings.append(Finding(line, "There is more to fix; the rest was not read."))
            break
        try:
            case = _case(row)
        except InvalidInput as error:
            findings.append(Finding(line, error.detail, error.field or ""))
        except _BadRow as error:
            findings.append(Finding(line, str(error), error.field))
        else:
            if case.key in seen:
                twice = f"The key {case.key} stands on line {seen[case.key]} already."
                findings.append(Finding(line, twice, "key"))
                continue
            if len(cases) == MAX_CASES:
                findings.append(Finding(line, f"A dataset has at most {MAX_CASES:,} cases."))
                break
            if case.key:
                seen[case.key] = line
            cases.append(case)
            lines.append(line)
    if not cases and not findings:
        findings.append(Finding(1, "The file holds no cases."))
    return ReadFile(tuple(cases), tuple(lines), tuple(findings))


def _case(row: Mapping[str, Any] | _BadRow) -> NewCase:
    if isinstance(row, _BadRow):
        raise row
    unknown = sorted(str(name) for name in row if name not in MEMBERS)
    if unknown:
        raise _BadRow(f"Unknown member. Known are: {', '.join(MEMBERS)}.", unknown[0][:80])
    key, feature = row.get("key") or "", row.get("feature") or None
    if not isinstance(key, str):
        raise _BadRow("A key is a text.", "key")
    if feature is not None and not isinstance(feature, str):
        raise _BadRow("A feature is named by its short name.", "feature")
    content = {name: row[name] for name in MEMBERS[2:] if name in row}
    if "variables" not in content:
        raise _BadRow("This is missing.", "variables")
    return NewCase(
        CaseContent.from_dict(content, place=""),
        key=check_name(key, field="key") if key else "",
        feature=feature,
    )


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | _BadRow]]:
    # Not splitlines(): JSON text may hold U+2028 and other characters that it takes for the end of a line.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = loads(line)
        except (ValueError, RecursionError) as error:
            yield number, _BadRow(f"This is not usable JSON: {error}.")
            continue
        yield number, value if isinstance(value, dict) else _BadRow("Each line is one JSON object.")


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | _BadRow]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    heading: list[str] | None = None
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, _BadRow(f"This is not CSV: {error}.")
            return
        if heading is None:
            heading = [cell.strip() for cell in cells]
            if fault := _heading_fault(heading):
                yield start, fault
                return
        elif any(cells):
            yield start, _csv_row(heading, cells)
        start = reader.line_num + 1


def _heading_fault(heading: list[str]) -> _BadRow | None:
    for name in heading:
        bare = name.removesuffix(JSON_SUFFIX)
        if bare not in MEMBERS and not (bare.startswith(VARIABLE) and len(bare) > len(VARIABLE)):
            known = "key, feature, variables.<name>, expected, context, tags, note"
            return _BadRow(f"Unknown column. Known are: {known}, each also with {JSON_SUFFIX}.", name[:80])
        if heading.count(name) > 1 or (name != bare and bare in heading):
            return _BadRow("This column stands here twice.", name[:80])
    if not any(name.startswith("variables") for name in heading):
        return _BadRow("There is no column for the variables, such as variables.request.", "variables")
    return None


def _csv_row(heading: list[str], cells: list[str]) -> Mapping[str, Any] | _BadRow:
    if len(cells) != len(heading):
        return _BadRow(f"{len(cells)} cells below {len(heading)} columns.")
    row: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    for name, cell in zip(heading, cells, strict=True):
        bare, text = name.removesuffix(JSON_SUFFIX), unguard_cell(cell)
        if not text:
            continue
        value: Any = text
        if name != bare:
            try:
                value = loads(text)
            except (ValueError, RecursionError) as error:
                return _BadRow(f"This is not usable JSON: {error}.", name)
        elif bare == "tags":
            value = [word for part in text.split(",") if (word := part.strip())]
        elif bare == "context":
            value = [text]
        elif bare == "variables":
            return _BadRow(f"Call the column variables{JSON_SUFFIX}, or variables.<name>.", name)
        if bare.startswith(VARIABLE):
            variables[bare.removeprefix(VARIABLE)] = value
        else:
            row[bare] = value
    if "variables" in row and not isinstance(row["variables"], dict):
        return _BadRow("Use a JSON object of variables.", "variables")
    row["variables"] = {**row.get("variables", {}), **variables}
    return row
