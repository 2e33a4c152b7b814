"""Source of C-like languages split into code, texts and comments, so that a pattern never matches inside a text or a comment."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass

# In the order in which they are tried. A regular expression literal can only follow an operator or the beginning of a line; its
# length is bounded, or hostile source would make every slash look through the whole file.
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?)
      | (?P<regex>(?<=[=(,:;!&|?{}\[\n])[ \t]{0,80}/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n]){0,200}\]|[^/\\\n\[]){1,500}/[a-z]*)""",
    re.VERBOSE | re.DOTALL,
)
_HASH_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<text>"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text literal: where its quote stands, and what is between the quotes."""

    start: int
    value: str


class Lexed:
    """`code` has the length of the source, with texts and comments blank but for their quotes."""

    def __init__(self, source: str, *, hash_comments: bool = False) -> None:
        pieces: list[str] = []
        self.texts: list[Text] = []
        self.comments: list[tuple[int, str]] = []
        at = 0
        for match in (_HASH_TOKEN if hash_comments else _TOKEN).finditer(source):
            pieces.append(source[at : match.start()])
            found = match[0]
            at = match.end()
            if match.lastgroup == "text":
                closed = len(found) > 1 and found[-1] == found[0]
                self.texts.append(Text(match.start(), found[1:-1] if closed else found[1:]))
                pieces.append(found[0] + _blank(found[1:-1]) + found[-1] if len(found) > 1 else found)
            else:
                if match.lastgroup == "comment":
                    self.comments.append((match.start(), found))
                pieces.append(_blank(found))
        pieces.append(source[at:])
        self.code = "".join(pieces)
        self._lines = [0, *(match.end() for match in re.finditer("\n", source))]
        self._starts = [text.start for text in self.texts]

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect.bisect_right(self._lines, offset)

    def column(self, offset: int) -> int:
        return offset - self._lines[self.line(offset) - 1] + 1

    def text_at(self, offset: int) -> str | None:
        """The text literal that begins at `offset`."""
        index = bisect.bisect_left(self._starts, offset)
        return self.texts[index].value if index < len(self.texts) and self._starts[index] == offset else None

    def closing(self, offset: int, most: int = 20_000) -> int:
        """Where the bracket that opens at `offset` closes, or where looking for it ends."""
        depth = 0
        end = min(len(self.code), offset + most)
        for match in re.compile(r"[(\[{)\]}]").finditer(self.code, offset, end):
            depth += 1 if match[0] in "([{" else -1
            if depth == 0:
                return match.start()
        return end


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
