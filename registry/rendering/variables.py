"""Where a template reads what its caller passes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    """What a template does with a variable: writes it out, decides by it, or loops over it."""

    OUTPUT = "output"
    CONDITION = "condition"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class VariableUse:
    """One place where a caller's variable is read.

    `path` leads from the variable into its value; `[]` stands for any item of a list, so in
    `{% for doc in docs %}{{ doc.title }}{% endfor %}` the inner path is `("docs", "[]", "title")`.
    `guarded` says that a missing value is fine here (`default` filter, `is defined` test).
    """

    path: tuple[str, ...]
    use: Use
    guarded: bool
    line: int
    column: int
    end_column: int

    @property
    def name(self) -> str:
        """The variable itself, the first part of the path."""
        return self.path[0]

    @property
    def dotted(self) -> str:
        """The path as text, such as `docs[].title`."""
        return ".".join(self.path).replace(".[]", "[]")
