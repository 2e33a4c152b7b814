"""What both directions share: formats, members, and cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

MAX_FILE_BYTES: Final = 1_500_000
JSON_SUFFIX: Final = ":json"
VARIABLE: Final = "variables."
# What a spreadsheet would compute (OWASP, CSV injection), after any apostrophes that were put before it.
_FORMULA = re.compile(r"'* *[=+\-@\t\r\n＝＋－＠]")
_GUARDED = re.compile(r"''* *[=+\-@\t\r\n＝＋－＠]")


class FileFormat(StrEnum):
    """How cases are written down."""

    JSONL = "jsonl"
    CSV = "csv"

    @property
    def content_type(self) -> str:
        return "text/csv; charset=utf-8" if self is FileFormat.CSV else "application/x-ndjson"


def guard_cell(text: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would compute it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard_cell(text: str) -> str:
    """What `guard_cell` was given."""
    return text[1:] if _GUARDED.match(text) else text
