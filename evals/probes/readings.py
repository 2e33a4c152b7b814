"""What of an answer counts when two answers are compared: its meaning where that is certain, else its words. Pure."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final

import orjson

_FENCE: Final = re.compile(r"\A```[a-zA-Z]*\s*\n?(.*?)\n?```\Z", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d+(?:[.,]\d+)*")
_SPACE: Final = re.compile(r"\s+")
_AROUND: Final = " \t\n.!\"'`*“”‘’"
_REFUSAL: Final = re.compile(
    r"\b(?:i (?:can(?:'|no)?t|cannot|won't|will not|am not able|am unable)|i'm (?:sorry|unable|not able)|unable to"
    r"|against my|not something i can|sorry, but|i must decline)\b"
)


class Reading(StrEnum):
    """How an answer of a case is read."""

    WORDS = "words"
    NUMBER = "number"
    JSON = "json"
    STANCE = "stance"


def read(text: str, reading: Reading) -> str:
    """What is compared: equal texts for answers that say the same.

    `words` ignores case, white space and quotes around the answer; `number` takes the last number; `json` the canonical form of
    the value, with or without a code fence; `stance` only whether the model refused. An answer that cannot be read as its case
    wants is read by its words, so that “no JSON any more” is a change as well.
    """
    match reading:
        case Reading.NUMBER:
            return _number(text)
        case Reading.JSON:
            return _json(text)
        case Reading.STANCE:
            return "refused" if _REFUSAL.search(_plain(text)) else "answered"
        case _:
            return _words(text)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    return _SPACE.sub(" ", folded).strip()


def _words(text: str) -> str:
    return _plain(text).strip(_AROUND)


def _number(text: str) -> str:
    found = _NUMBER.findall(unicodedata.normalize("NFKC", text))
    return found[-1].replace(",", "") if found else _words(text)


def _json(text: str) -> str:
    inside = text.strip()
    fenced = _FENCE.match(inside)
    try:
        value = orjson.loads(fenced[1] if fenced else inside)
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONDecodeError:
        return _words(text)
