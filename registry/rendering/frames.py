"""Messages between the preview pool and its workers: a length of four bytes (big endian), then JSON."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO, Final

HEADER: Final = struct.Struct(">I")
MAX_REQUEST_BYTES: Final = 16 * 1024 * 1024
MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024


def encode_frame(value: Any) -> bytes:
    """Header and payload. Escaped ASCII, so that no text value can be unencodable."""
    payload = json.dumps(value).encode()
    return HEADER.pack(len(payload)) + payload


def read_frame(stream: BinaryIO) -> Any:
    """The next value of a blocking stream, or None at its end. Raises `ValueError` for a frame that is too
    large."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    if length > MAX_REQUEST_BYTES:
        raise ValueError("the frame is too large")
    payload = stream.read(length)
    return json.loads(payload) if len(payload) == length else None
