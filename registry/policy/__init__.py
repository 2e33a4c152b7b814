"""The output policy filter: what must not reach a user, found deterministically in the normalised text. Pure."""

from __future__ import annotations

from registry.policy.errors import PolicyError
from registry.policy.expressions import MAX_REPEAT_PRODUCT, compile_expression
from registry.policy.filter import MAX_PATTERN_CHARS, MAX_PATTERNS, Policy, PolicyMode
from registry.policy.normalising import normalise
from registry.policy.window import MAX_HELD_CHARS, Window

__all__ = [
    "MAX_HELD_CHARS",
    "MAX_PATTERNS",
    "MAX_PATTERN_CHARS",
    "MAX_REPEAT_PRODUCT",
    "Policy",
    "PolicyError",
    "PolicyMode",
    "Window",
    "compile_expression",
    "normalise",
]
