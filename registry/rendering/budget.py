"""What one rendering may still spend."""

from __future__ import annotations

from registry.rendering import limits
from registry.rendering.errors import RenderError

CHARS_PER_STEP = 32


class Budget:
    """Counts steps and produced characters of one rendering; not shared between threads."""

    __slots__ = ("chars_left", "steps_left")

    def __init__(self, *, steps: int = limits.MAX_WORK, chars: int = limits.MAX_OUTPUT_CHARS) -> None:
        self.steps_left = steps
        self.chars_left = chars

    def spend(self, steps: int) -> None:
        """Raises `RenderError("too_much_work")` when the steps are used up."""
        self.steps_left -= steps
        if self.steps_left < 0:
            message = "Rendering takes too many steps; pass shorter lists or simplify the loops."
            raise RenderError("too_much_work", message)

    def look_at(self, chars: int) -> None:
        """Pay for reading or producing text in passing."""
        self.spend(1 + chars // CHARS_PER_STEP)

    def require(self, chars: int) -> None:
        """Raises `RenderError("output_too_large")` if text of this size has no room in the result."""
        if chars > self.chars_left:
            limit = f"{limits.MAX_OUTPUT_CHARS:,}"
            raise RenderError("output_too_large", f"The rendered prompt is longer than {limit} characters.")

    def write(self, chars: int) -> None:
        """Pay for text that became part of the result."""
        self.require(chars)
        self.chars_left -= chars
