"""Encryption at rest and signatures.

The master key (32 bytes, base64, in `PROMPTSTORE_MASTER_KEY`) seals credentials and private signing keys with
XSalsa20-Poly1305 (libsodium's secretbox). Signatures are Ed25519.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from django.conf import settings
from django.db import transaction
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.secret import SecretBox
from nacl.signing import SigningKey as Ed25519
from nacl.signing import VerifyKey

from promptstore.core.errors import DomainError
from promptstore.core.models import SigningKey


class CryptoUnavailable(DomainError):
    """The master key is missing, malformed or not the one that sealed the value."""

    code = "master_key"
    status = 503
    title = "The master key does not fit"


def master_key() -> bytes:
    """The 32-byte master key; raises `CryptoUnavailable` with what to set."""
    try:
        key = base64.b64decode(settings.PROMPTSTORE_MASTER_KEY, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != SecretBox.KEY_SIZE:
        raise CryptoUnavailable("Set PROMPTSTORE_MASTER_KEY (or …_FILE) to 32 random bytes in base64.")
    return key


def derive(purpose: str) -> bytes:
    """A 32-byte key for one purpose, derived from the master key by HMAC-SHA-256."""
    return hmac.digest(master_key(), purpose.encode(), hashlib.sha256)


def seal(plain: str) -> bytes:
    """Encrypt a secret for storage."""
    return bytes(SecretBox(master_key()).encrypt(plain.encode()))


def unseal(sealed: bytes) -> str:
    """Decrypt a stored secret; raises `CryptoUnavailable` when the master key is another one."""
    try:
        return SecretBox(master_key()).decrypt(bytes(sealed)).decode()
    except CryptoError as error:
        raise CryptoUnavailable("This secret was sealed under another master key; enter it again.") from error


def signing_key(purpose: str) -> SigningKey:
    """The current signing key for `purpose`, made on first use."""
    current = (
        SigningKey.objects.filter(purpose=purpose, retired_at__isnull=True).order_by("-created_at").first()
    )
    if current:
        return current
    private = Ed25519.generate()
    public = bytes(private.verify_key)
    with transaction.atomic():
        return SigningKey.objects.create(
            key_id=f"{purpose}-{hashlib.sha256(public).hexdigest()[:16]}",
            purpose=purpose,
            public_key=public,
            sealed_private_key=seal(base64.b64encode(bytes(private)).decode()),
        )


def sign(key: SigningKey, message: bytes) -> bytes:
    """The 64-byte Ed25519 signature of `message`."""
    private = Ed25519(base64.b64decode(unseal(bytes(key.sealed_private_key))))
    return bytes(private.sign(message).signature)


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is `public_key`'s signature of `message`."""
    try:
        VerifyKey(bytes(public_key)).verify(message, bytes(signature))
    except (BadSignatureError, ValueError):
        return False
    return True
