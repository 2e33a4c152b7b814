"""Two prompt documents side by side. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.drafts import read_spec
from registry.rendering.diff import PromptDiff, diff_specs
from registry.rendering.versions import Bump, BumpReason, suggest_bump


@dataclass(frozen=True)
class Comparison:
    """What changes, word by word, and what that means for callers."""

    diff: PromptDiff
    bump: Bump
    reasons: tuple[BumpReason, ...]


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Comparison:
    """From one stored body to another."""
    before, after = read_spec(old), read_spec(new)
    bump, reasons = suggest_bump(before, after)
    return Comparison(diff_specs(before, after), bump, reasons)
