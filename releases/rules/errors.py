"""What is wrong with a rule, and where."""

from __future__ import annotations

from promptstore.core.errors import InvalidInput


class RuleSyntaxError(InvalidInput):
    """A rule that cannot be read. `line` and `column` count from 1; `hint` says what would be right."""

    code = "rule_syntax"
    title = "The rule cannot be read"

    def __init__(self, message: str, line: int, column: int, hint: str, *, field: str | None = None) -> None:
        super().__init__(
            f"{message} at line {line}, column {column}: {hint}",
            field=field,
            extra={"line": line, "column": column, "hint": hint},
        )
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint

    def in_field(self, field: str) -> RuleSyntaxError:
        """The same error, naming the input field that holds the rule."""
        return RuleSyntaxError(self.message, self.line, self.column, self.hint, field=field)
