"""Is the bundle as it was signed, and by whom?"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from promptstore.cli.bundles.findings import Finding
from promptstore.cli.bundles.opened import Opened
from promptstore.cli.bundles.reading import INDEX, SIGNATURE, digest, parse, sha256

FORMAT = 1


def members(bundle: Opened, finding: Finding) -> None:
    """The index lists each member once, with the digest and size it has."""
    index = bundle.json(INDEX)
    finding.expect(index["format"] == FORMAT, f"{INDEX}: format {index['format']!r} is not known here")
    listed = {one["name"]: one for one in index["members"]}
    there = {name for name in bundle.members if name not in {INDEX, SIGNATURE}}
    finding.expect(len(listed) == len(index["members"]), f"{INDEX} lists a member twice")
    for name in sorted(there - listed.keys()):
        finding.faults.append(f"{name} was added")
    for name in sorted(listed.keys() - there):
        finding.faults.append(f"{name} was removed")
    for name in sorted(there & listed.keys()):
        data, said = bundle.members[name], listed[name]
        same = said["sha256"] == sha256(data) and said["size"] == len(data)
        finding.expect(same, f"{name} was changed")


def root(bundle: Opened, finding: Finding) -> None:
    """The root digest is that of the index, which is where everything else hangs."""
    index = parse(bundle.members[INDEX])
    said = index.pop("root")
    finding.expect(digest(index) == said, f"{INDEX} was changed")
    finding.expect(bundle.json(SIGNATURE)["root"] == said, f"{SIGNATURE} is for another bundle")


def signature(bundle: Opened, finding: Finding) -> None:
    """The signature over the root digest is that of the key it names."""
    said = bundle.json(SIGNATURE)
    finding.expect(
        said.keys() == {"algorithm", "key_id", "root", "signature"} and said["algorithm"] == "Ed25519",
        f"{SIGNATURE} is not of the described shape",
    )
    message = f"promptstore-bundle-v1\n{said['root']}\n".encode()
    public = key(bundle, said["key_id"], "bundle")
    finding.expect(
        is_signed(public, message, said["signature"]), f"{SIGNATURE}: the signature is not {said['key_id']}’s"
    )


def signer(bundle: Opened, finding: Finding, known: bytes | None) -> None:
    """The key is the one that the reader got from somewhere else. In the bundle it proves nothing about who made it."""
    key_id = bundle.json(SIGNATURE)["key_id"]
    if known is None:
        finding.doubts.append(
            f"signed by an unknown key, {key_id}: name the public key you were given with --public-key"
        )
        return
    finding.expect(
        key(bundle, key_id, "bundle") == known, f"signed by an unknown key, {key_id}: not the one you named"
    )


def key(bundle: Opened, key_id: str, purpose: str) -> bytes:
    """A public key of the bundle, whose id is made from it. Raises `ValueError` for one that is something else."""
    body: Mapping[str, Any] = bundle.json(f"keys/{key_id}.json")
    public = exact_base64(body["public_key"])
    made = f"{purpose}-{hashlib.sha256(public).hexdigest()[:16]}"
    if not (body["key_id"] == key_id == made and body["purpose"] == purpose):
        raise ValueError(f"keys/{key_id}.json is no key for this purpose")
    return public


def is_signed(public: bytes, message: bytes, signature: str) -> bool:
    """Whether `signature`, in base64, is the key's Ed25519 signature of `message`."""
    try:
        VerifyKey(public).verify(message, exact_base64(signature))
    except (BadSignatureError, ValueError):
        return False
    return True


def exact_base64(text: str) -> bytes:
    """The bytes, if `text` is the one way to write them; `ValueError` otherwise."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("the base64 has spare bits")
    return data
