"""Texts cut into what is compared. Pure."""

from __future__ import annotations

import re
import string
import unicodedata
from typing import Final

import regex

# Scripts that put no spaces between words: there a character is a token.
UNSPACED: Final = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"  # Hangul does use spaces
)
_TOKEN: Final = regex.compile(rf"(?V1)[{UNSPACED}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+")
_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)
_AROUND: Final = " .!?\"'`*“”‘’«»。！？"


def tokens(text: str) -> list[str]:
    """Runs of letters, marks and digits in lower case, after NFKC; characters one by one where a script has no spaces.

    Of ASCII text it gives what ROUGE's own tokenizer gives without stemming.
    """
    found: list[str] = _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())
    return found


def squad_text(text: str) -> str:
    """Lower case, no ASCII punctuation, no articles, single spaces.

    Source: `normalize_answer` in the evaluation script of SQuAD v1.1; P. Rajpurkar, J. Zhang, K. Lopyrev, P. Liang, "SQuAD:
    100,000+ questions for machine comprehension of text", EMNLP 2016.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def plain_text(text: str) -> str:
    """NFKC, case folded, single spaces, without quotes and full stops around it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).strip(_AROUND)
