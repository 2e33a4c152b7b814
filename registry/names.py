"""Names of artifacts, checked before they reach the database. Pure."""

from __future__ import annotations

import re

from promptstore.core.errors import InvalidInput

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,78}[a-z0-9])?")
RESERVED = frozenset({"new"})  # a page of the console
MAX_CHANGELOG_CHARS = 10_000
MAX_DESCRIPTION_CHARS = 2_000


def check_name(name: str, *, field: str = "name") -> str:
    """The name itself; raises `InvalidInput` for anything a URL or a mention such as `name@1.2.0` could not carry."""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "Use 1 to 80 lower-case letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit.",
            code="invalid_name",
            field=field,
        )
    if name in RESERVED:
        raise InvalidInput(f"“{name}” cannot be a name; choose another.", code="invalid_name", field=field)
    return name


def check_text(
    text: str, *, field: str, max_chars: int = MAX_DESCRIPTION_CHARS, required: bool = False
) -> str:
    """Text for people, without surrounding white space; raises `InvalidInput` for NUL, surrogates, too much or too little."""
    text = text.strip()
    if required and not text:
        raise InvalidInput("Write something here.", code="required", field=field)
    if len(text) > max_chars:
        raise InvalidInput(
            f"{len(text):,} characters; at most {max_chars:,} are allowed.", code="too_long", field=field
        )
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidInput(
            "NUL bytes and halves of surrogate pairs cannot be stored; remove them.", field=field
        )
    return text
