"""Plain JSON values: what they are, how large they may be, and how to name a place inside one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from registry.rendering import limits

JsonValue = dict[str, "JsonValue"] | list["JsonValue"] | str | int | float | bool | None


class JsonValueError(ValueError):
    """A value is not plain JSON, or too large. `path` names the place, `reason` what is wrong there."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'value'}: {reason}")
        self.path = path
        self.reason = reason


def format_path(parts: Iterable[str | int]) -> str:
    """Write a path the way people read it: `("docs", 0, "title")` becomes `docs[0].title`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier() or (part.replace("-", "_").isidentifier() and part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part[:80], ensure_ascii=False)}]"
    return text


def compact_json(value: object) -> str:
    """Serialise with sorted keys and no spaces, so that equal values give equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def text_problem(text: str) -> str | None:
    """Why `text` cannot be stored or sent as UTF-8, or None: NUL bytes and lone surrogates are refused."""
    if "\x00" in text:
        return "NUL bytes are not allowed"
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return "contains half of a surrogate pair, which is not valid Unicode"
    return None


def check_json(
    value: object,
    *,
    root: str = "",
    max_depth: int = limits.MAX_VALUE_DEPTH,
    max_nodes: int = limits.MAX_VALUE_NODES,
    max_chars: int = limits.MAX_VALUE_CHARS,
    max_integer_bits: int = limits.MAX_INTEGER_BITS,
) -> None:
    """Accept exactly what `json.loads` can return, within limits; raise `JsonValueError` for anything else.

    Types are compared exactly: a subclass of `str` or `dict` may override methods, and a live object would
    run code when a template touches it. The walk is iterative, so depth and cycles end at `max_depth`, not
    at the stack.
    """
    base: tuple[str | int, ...] = (root,) if root else ()
    pending: list[tuple[Any, tuple[str | int, ...]]] = [(value, base)]
    nodes = chars = 0
    while pending:
        current, path = pending.pop()
        nodes += 1
        kind = type(current)
        if kind is str:
            chars += _check_text(current, path)
        elif kind is dict or kind is list:
            if len(path) - len(base) >= max_depth:
                raise JsonValueError(
                    format_path(path[: len(base) + 4]), f"nested deeper than {max_depth} levels"
                )
            if nodes + len(pending) + len(current) > max_nodes:
                raise JsonValueError(format_path(path), f"more than {max_nodes:,} values")
            if kind is dict:
                chars += sum(_check_key(key, path) for key in current)
            items = current.items() if kind is dict else enumerate(current)
            pending.extend((item, (*path, key)) for key, item in items)
        else:
            _check_scalar(current, path, max_integer_bits)
        if chars > max_chars:
            raise JsonValueError(format_path(base), f"more than {max_chars:,} characters of text")


def _check_text(text: str, path: tuple[str | int, ...]) -> int:
    if problem := text_problem(text):
        raise JsonValueError(format_path(path), problem)
    return len(text)


def _check_key(key: object, path: tuple[str | int, ...]) -> int:
    if type(key) is not str:
        raise JsonValueError(format_path(path), "object keys must be text")
    if problem := text_problem(key):
        raise JsonValueError(format_path(path), f"a key: {problem}")
    return len(key)


def _check_scalar(value: object, path: tuple[str | int, ...], max_integer_bits: int) -> None:
    if value is None or type(value) is bool:
        return
    if type(value) is int:
        if value.bit_length() > max_integer_bits:
            raise JsonValueError(format_path(path), f"an integer of more than {max_integer_bits} bits")
        return
    if type(value) is float:
        if not math.isfinite(value):
            raise JsonValueError(format_path(path), "NaN and Infinity are not JSON")
        return
    reason = (
        f"{type(value).__name__} is not a plain JSON value (text, number, true/false, null, list, object)"
    )
    raise JsonValueError(format_path(path), reason)
