"""Canonical JSON (RFC 8785) and content digests."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from promptstore.core.errors import InvalidInput


def canonical_json(value: Any) -> bytes:
    """The one byte string that stands for a JSON value.

    Raises `InvalidInput` for what has no canonical form: NaN, infinities, integers from 2^53, lone surrogates.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidInput(
            f"This value cannot be stored as canonical JSON: {error}.", code="not_canonical"
        ) from error


def digest_bytes(data: bytes) -> str:
    """`sha256:` and the lower-case hex digest of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_json(value: Any) -> str:
    """The digest of a JSON value's canonical form."""
    return digest_bytes(canonical_json(value))
