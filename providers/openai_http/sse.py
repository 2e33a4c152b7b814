"""A parser for server-sent events (WHATWG HTML §9.2.6), fed with bytes in whatever pieces they arrive."""

from __future__ import annotations

_NOTHING: list[str] = []


class EventTooLargeError(ValueError):
    """A line or an event outgrew the limit."""


class SSEParser:
    """Gives the `data` of each complete event.

    Comments and all other fields are ignored; an unfinished event is not given.

    Lines end in LF, CRLF or CR, also when a piece ends between the two. Text is decoded per line, so a piece
    may end inside a UTF-8 sequence; bytes that are no UTF-8 become U+FFFD.
    """

    def __init__(self, *, max_event_bytes: int = 1_000_000) -> None:
        self._max = max_event_bytes
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, piece: bytes) -> list[str]:
        """The events that `piece` completed. Raises `EventTooLargeError`."""
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        if piece:
            self._after_cr = piece.endswith(b"\r")
        if b"\n" not in piece and b"\r" not in piece:
            self._rest += piece
            self._check(len(self._rest))
            return _NOTHING
        lines = (bytes(self._rest) + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = bytearray(lines.pop())
        events: list[str] = []
        for line in lines:
            self._line(line, events)
        self._check(len(self._rest))
        return events

    def _line(self, line: bytes, events: list[str]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            if self._data:
                events.append(b"\n".join(self._data).decode("utf-8", errors="replace"))
                self._data = []
                self._data_bytes = 0
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_bytes += len(value) + 1
            self._check(self._data_bytes)

    def _check(self, size: int) -> None:
        if size > self._max:
            raise EventTooLargeError(f"an event is larger than {self._max} bytes")
