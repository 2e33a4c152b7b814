"""The stretch of source text that a syntax tree node covers."""

from __future__ import annotations

from jinja2 import nodes

from registry.rendering.parsing import ParsedTemplate

_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Spans:
    """Start and end offsets of nodes of one parsed template."""

    def __init__(self, parsed: ParsedTemplate) -> None:
        self._words = parsed.words
        self._index = {word.offset: i for i, word in enumerate(parsed.words)}
        self._map = parsed.source_map

    def of(self, node: nodes.Node) -> tuple[int, int, int]:
        """`(line, column, end_column)` of a node with everything in it."""
        start, end = self._bounds(node)
        return self._map.span(start, end)

    def of_token(self, offset: int) -> tuple[int, int, int]:
        """`(line, column, end_column)` of the token at an offset."""
        index = self._index.get(offset)
        return self._map.span(offset, offset + 1 if index is None else self._words[index].end)

    def test_name(self, node: nodes.Test) -> tuple[int, int, int]:
        """Where a test's name stands: Jinja keeps the place of `is`."""
        index = self._index[node.lineno] + 1
        if self._words[index].text == "not":
            index += 1
        return self._map.span(self._words[index].offset, self._words[index].end)

    def _bounds(self, node: nodes.Node) -> tuple[int, int]:
        starts: list[int] = []
        ends: list[int] = []
        pending = [node]
        while pending:
            current = pending.pop()
            pending.extend(current.iter_child_nodes())
            index = self._index.get(current.lineno)
            if index is None:
                continue
            starts.append(current.lineno)
            ends.append(self._words[self._last_word(current, index)].end)
        if not starts:
            return 0, 1
        return min(starts), max(ends)

    def _last_word(self, node: nodes.Node, index: int) -> int:
        """Index of the last token that belongs to a node whose own token is at `index`."""
        if isinstance(node, nodes.Getattr):
            return index + 1
        if isinstance(node, nodes.Test):
            return index + (2 if self._words[index + 1].text == "not" else 1)
        if isinstance(node, nodes.Filter) and (node.args or node.kwargs):
            return self._closing(index + 1)
        if isinstance(node, nodes.Call | nodes.Getitem | nodes.List | nodes.Dict):
            return self._closing(index)
        return index

    def _closing(self, index: int) -> int:
        opening = self._words[index].text
        if opening not in _CLOSING:
            return index
        depth = 0
        for position in range(index, len(self._words)):
            text = self._words[position].text
            depth += (text == opening) - (text == _CLOSING[opening])
            if depth == 0:
                return position
        return index
