"""Every check of a bundle, in order. `verify` needs nothing but the file's bytes and, to know who signed, a public key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from promptstore.cli.bundles import approvals, content, recorded, routing, seal, trail
from promptstore.cli.bundles.findings import Finding, Result, guarded
from promptstore.cli.bundles.opened import Opened
from promptstore.cli.bundles.reading import INDEX, MAX_BYTES, SIGNATURE, MalformedError, read_members

Check = Callable[[Opened, Finding], None]
_ARCHIVE: Final = ("archive", "The file is one whole archive with nothing besides", "the file")

# claim, what it says, where to look, the check
CHECKS: Final[tuple[tuple[str, str, str, Check], ...]] = (
    ("members", "Every member is as it was written, none is missing or added", INDEX, seal.members),
    ("root", "The root digest covers all of it", INDEX, seal.root),
    ("signature", "The root digest is signed by the key in the bundle", SIGNATURE, seal.signature),
    ("manifest", "The manifest is the release’s", "manifest.json", content.manifest),
    ("artifacts", "Each pinned prompt, model and config is here, unchanged", "artifacts/", content.artifacts),
    ("policies", "Policies and plans are those that were in force", "promotions/", approvals.policies),
    ("evidence", "The evidence of each round of checks is whole", "promotions/", approvals.evidence),
    ("reports", "Each gate report is the one that the evidence names", "reports/", approvals.reports),
    (
        "approvals",
        "Enough people approved what was checked, none of them their own change",
        "promotions/",
        approvals.approvals,
    ),
    ("decisions", "The decisions of each rollout follow on each other without a gap", "rollouts/", routing.decisions),
    ("weights", "Each change of weight was decided", "rollouts/", routing.weights),
    ("plan", "No step went above the plan", "rollouts/", routing.plans),
    ("events", "No audit event was changed", "audit/events.jsonl", trail.events),
    ("chain", "Each audit event stands in the chain up to a signed checkpoint", "audit/chain.json", trail.chain),
    ("recorded", "Approvals and decisions stand in the audit log", "audit/events.jsonl", recorded.recorded),
)  # fmt: skip


@dataclass
class Verification:
    """What was found. `about` is what the bundle says of itself; empty for a file that is none."""

    findings: list[Finding]
    about: dict[str, Any] = field(default_factory=dict)
    key_id: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing failed. What stays open is no failure: `findings` say so."""
        return all(finding.result is not Result.FAILS for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "about": self.about,
            "key_id": self.key_id,
            "claims": [finding.to_dict() for finding in self.findings],
        }


def verify(data: bytes, *, public_key: bytes | None = None) -> Verification:
    """Check a bundle. Never raises for what the file may hold.

    `public_key` are the 32 bytes of an Ed25519 key that came by another way than the bundle; without it, who signed stays open.
    """
    archive = Finding(*_ARCHIVE)
    try:
        archive.expect(len(data) <= MAX_BYTES, f"the file is larger than {MAX_BYTES // 2**20} MB")
        bundle = Opened(read_members(data)) if archive.result is Result.HOLDS else Opened({})
    except MalformedError as error:
        archive.faults.append(str(error))
        bundle = Opened({})
    if archive.faults:
        return Verification([archive])
    findings = [archive]
    for claim, says, where, check in CHECKS:
        findings.append(guarded(Finding(claim, says, where), partial(check, bundle)))
    signer = Finding("signer", "It is signed by a key that you know", SIGNATURE)
    findings.append(guarded(signer, partial(seal.signer, bundle, known=public_key)))
    return Verification(findings, *_about(bundle))


def _about(bundle: Opened) -> tuple[dict[str, Any], str]:
    """What the index says of the bundle, and who signed; empty where it cannot be read, which a finding says."""
    try:
        index = bundle.json(INDEX)
        about = {name: str(index[name]) for name in ("product", "project", "feature", "made_at", "root")}
        about |= {name: str(index["release"][name]) for name in ("version", "digest")}
        about["made_by"] = str(index["made_by"]["name"])
        left_out = [f"{one['what']}, because {one['why']}" for one in index["left_out"]]
        return {**about, "left_out": left_out}, str(bundle.json(SIGNATURE)["key_id"])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return {}, ""
