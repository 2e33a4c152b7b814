"""Numbers that survive the database. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from promptstore.core.errors import InvalidInput
from registry.rendering.json_values import format_path


def check_numbers(value: object, path: tuple[str | int, ...] = ()) -> None:
    """Raise `InvalidInput` (`not_canonical`) for floats from 2^53 on.

    PostgreSQL gives 1e20 back as an integer, and integers of that size have no canonical form (RFC 8785). The value's depth was
    bounded before.
    """
    if isinstance(value, float) and abs(value) >= 2**53:
        raise InvalidInput(
            f"The number {value:g} is too large to be stored exactly; write it as text.",
            code="not_canonical",
            field=format_path(path) or None,
        )
    if isinstance(value, Mapping):
        for key, item in value.items():
            check_numbers(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check_numbers(item, (*path, index))
