"""Digests short enough to read and long enough to tell apart."""

from __future__ import annotations


def short_digest(digest: str, length: int = 12) -> str:
    """`sha256:4f2c…` → its first `length` hexadecimal digits; other ids are cut at the same length."""
    return digest.rpartition(":")[2][:length]
