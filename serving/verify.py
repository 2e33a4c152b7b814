"""What a node accepts: signed by a key it trusts, whole, of a format it knows, and not older than what it
has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from promptstore.core.digests import digest_bytes

# What roots and documents are written in (`serving.publisher`), and the oldest that is still read. When the format goes up,
# the one before it stays readable: nodes are upgraded last, and what they keep on disk is older than they are.
FORMAT = 1
OLDEST_FORMAT = 1


class RefusalReason(StrEnum):
    """Why a root was refused; a label of the metric, and shown by /readyz."""

    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_FORMAT = "unknown_format"
    UNKNOWN_VALUE = "unknown_value"
    MALFORMED = "malformed"
    OLDER = "older"
    CONFLICTING = "conflicting"
    MISSING_DOCUMENT = "missing_document"
    WRONG_DIGEST = "wrong_digest"


class RefusedError(Exception):
    """A root or document that this node does not serve. It keeps what it had."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """A root as it is stored: exact bytes, signature, and the key that is said to have made it."""

    environment_id: str
    body: bytes
    signature: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class Root:
    """What a root says. `documents` maps features to digests."""

    signed: SignedRoot
    project: str
    environment: str
    epoch: int
    generation: int
    documents: Mapping[str, str]
    node: str

    @classmethod
    def parse(cls, signed: SignedRoot) -> Root:
        """What the bytes say, without looking at the signature. Raises `RefusedError`."""
        try:
            body = orjson.loads(signed.body)
            check_format(body["format"], of="root")
            return cls(
                signed=signed,
                project=str(body["project"]),
                environment=str(body["environment"]),
                epoch=int(body["epoch"]),
                generation=int(body["generation"]),
                documents={str(name): str(digest) for name, digest in body["documents"].items()},
                node=str(body["node"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RefusedError(RefusalReason.MALFORMED, f"the root is malformed: {error!r}") from error

    @property
    def order(self) -> tuple[int, int]:
        return self.epoch, self.generation

    @property
    def digests(self) -> frozenset[str]:
        return frozenset([*self.documents.values(), self.node])


def verify_root(signed: SignedRoot, *, trusted: Mapping[str, bytes], current: Root | None) -> Root:
    """The root inside `signed`, or `RefusedError`.

    `current` is what the node serves for the same environment.

    A restore from backup starts a new epoch; within an epoch generations only grow. The same position with
    other bytes is refused too: two control planes are writing.
    """
    public_key = trusted.get(signed.key_id)
    if public_key is None:
        raise RefusedError(RefusalReason.UNKNOWN_KEY, f"signed by unknown key {signed.key_id!r}")
    try:
        VerifyKey(public_key).verify(signed.body, signed.signature)
    except (BadSignatureError, ValueError) as error:
        raise RefusedError(RefusalReason.BAD_SIGNATURE, "the signature does not fit the root") from error
    root = Root.parse(signed)
    if current is not None:
        if root.order < current.order:
            raise RefusedError(RefusalReason.OLDER, f"{root.order} is older than {current.order}")
        if root.order == current.order and signed.body != current.signed.body:
            raise RefusedError(RefusalReason.CONFLICTING, f"two different roots are numbered {root.order}")
    return root


def check_format(found: object, *, of: str) -> None:
    """Raise `RefusedError` unless this version reads the format. Fields that it does not know are no matter within one."""
    if isinstance(found, bool) or not isinstance(found, int) or not OLDEST_FORMAT <= found <= FORMAT:
        readable = f"{OLDEST_FORMAT} to {FORMAT}" if OLDEST_FORMAT < FORMAT else str(FORMAT)
        raise RefusedError(
            RefusalReason.UNKNOWN_FORMAT, f"{of} format {found!r}; this version reads {readable}"
        )


def check_document(digest: str, body: bytes | None) -> bytes:
    """The document's bytes, if they are there and hash to `digest`."""
    if body is None:
        raise RefusedError(RefusalReason.MISSING_DOCUMENT, f"{digest} is not there")
    if digest_bytes(body) != digest:
        raise RefusedError(RefusalReason.WRONG_DIGEST, f"{digest} does not fit its bytes")
    return body
