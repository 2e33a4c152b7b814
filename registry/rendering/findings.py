"""What a check says about a prompt, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error blocks publishing, a warning asks for a look, info only
    informs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about one place.

    `line`, `column` and `end_column` count from 1 in Unicode code points; `end_column` is the first column
    after the span, on the same line. A finding points into message `message_index`, or with `field` (such
    as `input_schema.properties.name`) at a part of the prompt that is not a template, or at the prompt as a
    whole.
    """

    rule_id: str
    severity: Severity
    message: str
    hint: str = ""
    message_index: int | None = None
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    field: str | None = None

    @property
    def position(self) -> tuple[int, int, int, str]:
        """Sort key: message by message, top to bottom; what points at no message comes last."""
        index = 1_000_000 if self.message_index is None else self.message_index
        return (index, self.line or 0, self.column or 0, self.rule_id)
