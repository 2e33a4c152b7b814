"""Who this node is: an X25519 key made once, and keys derived for one purpose each."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox


class NodeIdentity:
    """The node's key pair. Provider credentials are sealed to its public half, so that only this node can
    read them.
    """

    def __init__(self, private: PrivateKey, *, master_key: bytes = b"") -> None:
        self._private = private
        self._root = master_key or bytes(private)

    @property
    def public_key(self) -> bytes:
        return bytes(self._private.public_key)

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose: HMAC-SHA-256 under the master key, so that all nodes of an
        installation agree.

        Without a master key (an edge node) the node's own key takes its place, and pins hold on this node
        only.
        """
        return hmac.digest(self._root, purpose.encode(), hashlib.sha256)

    def unseal(self, sealed: bytes) -> str | None:
        """The secret inside a sealed box, or None when it was sealed to another key."""
        try:
            return SealedBox(self._private).decrypt(sealed).decode()
        except (CryptoError, UnicodeDecodeError):
            return None


def load_identity(directory: Path, *, master_key: bytes = b"") -> NodeIdentity:
    """Read the node's key from `directory`, or make it there (mode 0600) on the first start."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "node.key"
    if not path.exists():
        _create(path, bytes(PrivateKey.generate()))
    return NodeIdentity(PrivateKey(path.read_bytes()), master_key=master_key)


def _create(path: Path, secret: bytes) -> None:
    # Written aside and linked into place: a crash leaves no half key, and of two starts at once one key wins.
    temporary = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, secret)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
