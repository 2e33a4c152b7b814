"""W3C Trace Context: continue the caller's trace, or start one, so that an inference can be found from either
end.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """This call's place in a trace."""

    trace_id: str
    span_id: str
    flags: str

    @property
    def traceparent(self) -> str:
        """The header for the call that follows from this one."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def child_of(span: Span) -> Span:
    """A further span of the same trace."""
    return Span(span.trace_id, os.urandom(8).hex(), span.flags)


def continue_trace(traceparent: str | None) -> Span:
    """A new span under the caller's (W3C Trace Context §3.2).

    Under a new trace when the header is absent or invalid.
    """
    span_id = os.urandom(8).hex()
    match = (
        _TRACEPARENT.match(traceparent.strip().lower()) if traceparent and len(traceparent) <= 256 else None
    )
    if match:
        version, trace_id, parent_id, flags = match.groups()
        if version != "ff" and trace_id.strip("0") and parent_id.strip("0"):
            return Span(trace_id, span_id, flags)
    return Span(os.urandom(16).hex(), span_id, "01")
