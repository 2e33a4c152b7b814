"""Errors of this package: stable codes, and words that say what to do."""

from __future__ import annotations


class SpecError(ValueError):
    """A prompt document is malformed. `field` names the place, such as `messages[2].content`."""

    code = "invalid_prompt"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class RenderError(ValueError):
    """A prompt could not be rendered.

    Codes: `missing_variable`, `invalid_value` (not plain JSON or too large; `field` names it),
    `type_mismatch`, `output_too_large`, `too_much_work`, `not_in_subset`, and for drafts also `timeout`,
    `out_of_memory`, `crashed`, `busy`. `message_index`, `line` and `column` (from 1) point at the template
    where that is known.
    """

    def __init__(
        self,
        code: str,
        message: str,
        message_index: int | None = None,
        *,
        line: int | None = None,
        column: int | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.message_index = message_index
        self.line = line
        self.column = column
        self.field = field
