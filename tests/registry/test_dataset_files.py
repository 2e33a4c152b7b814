from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptstore.core.digests import canonical_json
from promptstore.core.errors import InvalidInput
from registry.dataset_files import MAX_FILE_BYTES, FileFormat, read_cases, write_cases
from registry.dataset_files.rows import guard_cell, unguard_cell
from registry.datasets import CaseContent, NewCase
from tests.registry.cases import TEXT, new_cases

FORMATS = list(FileFormat)


@pytest.mark.parametrize("file_format", FORMATS)
@given(cases=new_cases())
def test_what_is_written_is_read_back(file_format: FileFormat, cases: list[NewCase]) -> None:
    found = read_cases(write_cases(cases, file_format), file_format)

    assert not found.findings
    assert [(one.key, one.feature) for one in found.cases] == [(one.key, one.feature) for one in cases]
    for read, written in zip(found.cases, cases, strict=True):
        assert canonical_json(read.content.to_dict()) == canonical_json(written.content.to_dict())


@pytest.mark.parametrize("file_format", FORMATS)
@given(text=TEXT | st.text(max_size=80))
def test_any_text_gives_cases_or_findings(file_format: FileFormat, text: str) -> None:
    found = read_cases(text, file_format)
    assert found.cases or found.findings
    assert len(found.lines) == len(found.cases)


@given(cases=new_cases())
def test_no_cell_begins_as_a_formula(cases: list[NewCase]) -> None:
    text = write_cases(cases, FileFormat.CSV)
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


@given(TEXT | st.text("'=+-@ x", max_size=6))
def test_a_guarded_cell_is_read_as_it_was(text: str) -> None:
    assert unguard_cell(guard_cell(text)) == text


def test_lines_are_counted_as_an_editor_does() -> None:
    text = '{"key": "a", "variables": {}}\n\n{"key": "A B", "variables": {}}\n[1]\n{"key": "a", "variables": {}}\n{"key": "b"\n'
    found = read_cases(text, FileFormat.JSONL)
    assert found.lines == (1,)
    assert [(item.line, item.field) for item in found.findings] == [(3, "key"), (4, ""), (5, "key"), (6, "")]


def test_a_cell_over_several_lines_counts_as_its_first() -> None:
    text = 'key,variables.request\r\na,"one\r\ntwo"\r\nA B,three\r\n'
    found = read_cases(text, FileFormat.CSV)
    assert found.cases[0].content == CaseContent(variables={"request": "one\r\ntwo"})
    assert [(item.line, item.field) for item in found.findings] == [(4, "key")]


@pytest.mark.parametrize(
    ("heading", "says"),
    [
        ("key,colour", "Unknown column"),
        ("key,expected", "no column for the variables"),
        ("variables.a,variables.a", "twice"),
        ("variables.a,variables.a:json", "twice"),
    ],
)
def test_a_heading_that_means_nothing_is_refused(heading: str, says: str) -> None:
    found = read_cases(f"{heading}\nx,y\n", FileFormat.CSV)
    assert says in found.findings[0].message
    assert not found.cases


def test_cells_as_people_type_them() -> None:
    text = 'variables.request,variables.limit:json,expected,tags,context\nHello,5,Hi,"a, b",Passage\n'
    case = read_cases(text, FileFormat.CSV).cases[0]
    assert case.content == CaseContent(
        variables={"request": "Hello", "limit": 5}, expected="Hi", tags=("a", "b"), context=("Passage",)
    )
    assert case.key == ""


def test_a_file_that_is_too_large_is_refused_whole() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_cases("x" * (MAX_FILE_BYTES + 1), FileFormat.JSONL)
    assert refused.value.code == "too_long"


def test_findings_end_at_fifty() -> None:
    assert len(read_cases("[]\n" * 200, FileFormat.JSONL).findings) == 51
