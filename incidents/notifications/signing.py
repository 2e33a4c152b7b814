"""Signatures of the Standard Webhooks specification (symmetric, version 1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
MIN_BYTES: Final = 24
MAX_BYTES: Final = 64


def new_secret() -> str:
    """A fresh secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key inside a `whsec_` secret. Raises `ValueError` unless it is 24 to 64 bytes in base64."""
    if not secret.startswith(PREFIX):
        raise ValueError(f"a signing secret begins with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the part after whsec_ is not base64") from error
    if not MIN_BYTES <= len(key) <= MAX_BYTES:
        raise ValueError(f"a signing secret holds {MIN_BYTES} to {MAX_BYTES} bytes, this one {len(key)}")
    return key


def headers(message_id: str, timestamp_s: int, body: bytes, *, secrets_: Sequence[str]) -> dict[str, str]:
    """The three headers of one attempt; one signature per secret, separated by spaces, the current one first.

    Each is `v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`. `timestamp_s` is the attempt's Unix time, which receivers
    compare with their own clock.
    """
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    made = (
        "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
        for secret in secrets_
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(made),
    }
