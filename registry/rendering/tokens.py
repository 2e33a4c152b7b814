"""Token counts without a network.

The tables of `o200k_base` and `cl100k_base` are shipped beside this module (`data/VENDOR.toml`); counts in
these encodings are exact. Other tokenizers are estimated with `o200k_base` and say so.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import tiktoken

DEFAULT_ENCODING: Final = "o200k_base"
ENCODINGS: Final = ("o200k_base", "cl100k_base")
TOKENS_PER_MESSAGE: Final = 3
"""Role markers around each message; OpenAI Cookbook, "How to count tokens with tiktoken"."""

MAX_GAP_CHARS: Final = 50_000

TOKENS_FOR_REPLY: Final = 3
"""Every reply is primed with an assistant header; same source."""

_DATA: Final = Path(__file__).parent / "data"
_GAP: Final = re.compile(r"\s+")
_load_lock = threading.Lock()


class TokenTableError(RuntimeError):
    """A shipped token table is missing or damaged; reinstall the product."""


@dataclass(frozen=True, slots=True)
class TokenEncoding:
    """Which encoding stands in for a model's tokenizer, and whether its counts are exact for that model."""

    name: str
    exact: bool


@dataclass(frozen=True, slots=True)
class TokenCount:
    """`tokens` in `encoding`; `exact` is False where the encoding only stands in for the model's own
    tokenizer."""

    tokens: int
    exact: bool
    encoding: str


def encoding_for(tokenizer: str) -> TokenEncoding:
    """The encoding for a tokenizer's or an OpenAI model's name, such as `o200k_base`, `gpt-4o` or
    `llama-3`."""
    name = tokenizer.strip().lower()
    if name in ENCODINGS:
        return TokenEncoding(name, exact=True)
    if name == "o200k_harmony":
        # The same merges; only its special tokens differ, and those never come from text.
        return TokenEncoding("o200k_base", exact=True)
    try:
        known = tiktoken.encoding_name_for_model(name)
    except KeyError:
        return TokenEncoding(DEFAULT_ENCODING, exact=False)
    if known == "o200k_harmony":
        return TokenEncoding("o200k_base", exact=True)
    return (
        TokenEncoding(known, exact=True)
        if known in ENCODINGS
        else TokenEncoding(DEFAULT_ENCODING, exact=False)
    )


@cache
def _encoding(name: str) -> tiktoken.Encoding:
    vendor = tomllib.loads((_DATA / "VENDOR.toml").read_text(encoding="utf-8"))
    table = vendor["encodings"][name]
    path = _DATA / table["file"]
    # Checked here first: tiktoken would delete a damaged file and go to the network for another.
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != table["sha256"]:
        raise TokenTableError(
            f"The token table {name} ({path}) is missing or damaged; reinstall the product."
        )
    with _load_lock:
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(_DATA)
        try:
            return tiktoken.get_encoding(name)
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before


def count_tokens(text: str, encoding: str = DEFAULT_ENCODING) -> TokenCount:
    """Tokens of plain text. `encoding` is an encoding's, a tokenizer's or a model's name; see `encoding_for`.

    What looks like a special token (`<|endoftext|>`) counts as the text it is.
    """
    chosen = encoding_for(encoding)
    tokens, exact = _count(text, chosen)
    return TokenCount(tokens, exact, chosen.name)


def count_message_tokens(
    messages: Iterable[Mapping[str, Any]], encoding: str = DEFAULT_ENCODING
) -> TokenCount:
    """Tokens of a chat request: text contents and roles, plus the framing of each message and of the reply.

    The framing follows the formula OpenAI publishes for its chat models; `exact` speaks of the text.
    Content parts other than text count nothing.
    """
    chosen = encoding_for(encoding)
    total, exact = TOKENS_FOR_REPLY, True
    for message in messages:
        content = message.get("content") or ""
        parts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
        counts = [_count(text, chosen) for text in (str(message["role"]), *parts)]
        total += TOKENS_PER_MESSAGE + sum(tokens for tokens, _exact in counts)
        exact = exact and all(part_exact for _tokens, part_exact in counts)
    return TokenCount(total, exact and chosen.exact, chosen.name)


def _count(text: str, encoding: TokenEncoding) -> tuple[int, bool]:
    """Tokens, and whether that is what the model counts."""
    encode = _encoding(encoding.name).encode_ordinary
    pieces = _split_long_gaps(text)
    return sum(len(encode(piece)) for piece in pieces), encoding.exact and len(pieces) == 1


def _split_long_gaps(text: str) -> list[str]:
    """The text, cut inside very long runs of white space: the tokenizer's pattern overflows its stack
    there."""
    if len(text) <= MAX_GAP_CHARS:
        return [text]
    cuts = [0]
    for gap in _GAP.finditer(text):
        cuts.extend(range(gap.start() + MAX_GAP_CHARS, gap.end(), MAX_GAP_CHARS))
    return [text[start:end] for start, end in pairwise([*cuts, len(text)])]
