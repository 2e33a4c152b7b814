"""Bundles of a release that was approved, rolled out and taken back, and forgeries of them that add up."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from nacl.signing import SigningKey

from incidents.services import open_incident
from promptstore.cli.bundles.findings import Result
from promptstore.cli.bundles.reading import canonical, parse, parse_lines, read_members
from promptstore.cli.bundles.verifying import Verification
from promptstore.core.actors import system
from releases import services
from releases.bundle.archive import index_of, json_lines, pack, signed_message
from releases.models import Rollout
from releases.services.bundles import Bundle
from tests.traffic import record
from tests.world import World

Change = Callable[[Any], None]


def told(world: World, why: str = "Ask operations first.") -> Rollout:
    """A rollout with two arms of traffic, a pause, an incident and an end."""
    rollout = world.roll_out()
    record(rollout, "candidate", 3)
    record(rollout, "stable", 3)
    fields: dict[str, Any] = {
        "actor": world.cast.actor("operator"), "project_id": world.cast.project.id, "rollout_id": rollout.id
    }  # fmt: skip
    services.pause_rollout(**fields, reason=why)
    services.resume_rollout(**fields, reason="They agree.")
    open_incident(
        actor=system("controller"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        feature_id=world.feature.id, title="Slow", summary="Too slow.", severity="P2", dedup_key="slow",
        rollout_id=rollout.id, release_digest=rollout.candidate.digest, evidence={"samples": [{"output": "secret"}]},
    )  # fmt: skip
    services.roll_back(**fields, reason="Too slow.", at_once=True)
    return rollout


def bundle_of(world: World, rollout: Rollout, role: str = "auditor") -> Bundle:
    return services.make_bundle(
        actor=world.cast.actor(role), project_id=world.cast.project.id, release_id=rollout.candidate_id
    )


def failing(found: Verification) -> set[str]:
    return {one.claim for one in found.findings if one.result is Result.FAILS}


def forged(data: bytes, changes: dict[str, Change | None]) -> bytes:
    """The bundle with members changed or (`None`) removed, and digests, root and signature made anew under another key.

    A name that ends in `/` stands for the first member below it.
    """
    members = read_members(data)
    index = parse(members.pop("bundle.json"))
    del members["signature.json"]
    for wanted, change in changes.items():
        name = next(one for one in members if one.startswith(wanted))
        if change is None:
            del members[name]
        elif name.endswith(".jsonl"):
            rows = parse_lines(members[name])
            change(rows)
            members[name] = json_lines(rows)
        else:
            body = parse(members[name])
            change(body)
            members[name] = canonical(body)
    key = SigningKey(hashlib.sha256(b"somebody else").digest())
    public = bytes(key.verify_key)
    key_id = f"bundle-{hashlib.sha256(public).hexdigest()[:16]}"
    members[f"keys/{key_id}.json"] = canonical(
        {
            "key_id": key_id,
            "purpose": "bundle",
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(public).decode(),
        }
    )
    facts = {name: value for name, value in index.items() if name not in {"format", "members", "root"}}
    anew = index_of(facts, members)
    signature = {
        "algorithm": "Ed25519",
        "key_id": key_id,
        "root": anew["root"],
        "signature": base64.b64encode(key.sign(signed_message(anew["root"])).signature).decode(),
    }
    return pack(anew, signature, members)
