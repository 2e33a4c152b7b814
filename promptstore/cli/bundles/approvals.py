"""Was the release checked and approved as its policy asks, by people who may?"""

from __future__ import annotations

from typing import Any

from promptstore.cli.bundles.findings import Finding
from promptstore.cli.bundles.opened import Opened
from promptstore.cli.bundles.reading import digest, sha256

BINDING = ("release_digest", "evidence_digest", "policy_digest", "plan_digest")
# States that only an approved promotion reaches.
_APPROVED = {"approved", "rolling_out", "live", "rolled_back"}
_DEFAULT_QUORUM = 1
# Run whatever the policy says.
_ALWAYS = {"danger"}


def policies(bundle: Opened, finding: Finding) -> None:
    """Policies and plans have the digests that evidence and votes name them by."""
    for name, promotion in bundle.each("promotions"):
        for policy in promotion["policies"]:
            finding.expect(
                digest(policy["body"]) == policy["digest"], f"{name}: policy {policy['number']} was changed"
            )
        known = {policy["digest"] for policy in promotion["policies"]}
        finding.expect(promotion["policy_digest"] in known, f"{name}: its policy is not there")
        finding.expect(
            digest(promotion["plan"]) == promotion["plan_digest"],
            f"{name}: the plan has another digest than votes name",
        )


def evidence(bundle: Opened, finding: Finding) -> None:
    """Each round's evidence has its digest, is about this release and a policy that is here, and passed only if all reports did."""
    for name, promotion in bundle.each("promotions"):
        finding.expect(promotion["release_digest"] == bundle.release_digest, f"{name} is of another release")
        known = {policy["digest"]: policy["body"] for policy in promotion["policies"]}
        numbers = [one["document"]["round"] for one in promotion["rounds"]]
        finding.expect(numbers == sorted(set(numbers)), f"{name}: two rounds of checks have one number")
        for one in promotion["rounds"]:
            document = one["document"]
            where = f"{name}: round {document['round']}"
            finding.expect(digest(document) == one["digest"], f"{where} has another digest than its evidence")
            finding.expect(document["release"] == bundle.release_digest, f"{where} was about another release")
            finding.expect(document["policy"] in known, f"{where} was under a policy that is not there")
            passed = all(row["verdict"] == "pass" for row in document["reports"])
            finding.expect(
                (document["verdict"] == "pass") == passed, f"{where}: verdict and reports disagree"
            )
            _gates(where, document, known.get(document["policy"], {}).get("gates"), finding)


def _gates(where: str, document: dict[str, Any], asked: list[str] | None, finding: Finding) -> None:
    """The gates of the policy ran, each once, and the danger set; a bundle from before it ran always may lack that."""
    ran = [row["gate"] for row in document["reports"]]
    finding.expect(len(set(ran)) == len(ran), f"{where}: a gate ran twice")
    finding.expect(
        asked is None or set(asked) <= set(ran) <= {*asked, *_ALWAYS},
        f"{where}: other gates ran than asked for",
    )


def reports(bundle: Opened, finding: Finding) -> None:
    """Each report that evidence names is there, with that digest, gate and verdict, about this release."""
    named = set()
    for name, promotion in bundle.each("promotions"):
        for one in promotion["rounds"]:
            for row in one["document"]["reports"]:
                member = f"reports/{row['digest'].removeprefix('sha256:')}.json"
                named.add(member)
                if member not in bundle.members:
                    finding.faults.append(f"{name}: {member} is not there")
                    continue
                body = bundle.json(member)
                finding.expect(sha256(bundle.members[member]) == row["digest"], f"{member} was changed")
                finding.expect(
                    (body["gate"], body["verdict"], body["subject"]["release"]["digest"])
                    == (row["gate"], row["verdict"], bundle.release_digest),
                    f"{member} says something else than the evidence",
                )
    for member, _body in bundle.each("reports"):
        finding.expect(member in named, f"{member} is named by no evidence")


def approvals(bundle: Opened, finding: Finding) -> None:
    """Votes name what was checked; what was approved has its quorum of distinct people, none of whom made or requested it."""
    release = bundle.json("release.json")
    contributors = {one["id"] for one in release["contributors"]}
    moved = {rollout["promotion"] for _name, rollout in bundle.each("rollouts")}
    asked_for = set()
    for name, promotion in bundle.each("promotions"):
        asked_for.add(promotion["environment"])
        evidence_digests = {one["digest"] for one in promotion["rounds"]}
        for vote in promotion["votes"]:
            finding.expect(
                vote["release_digest"] == bundle.release_digest
                and vote["evidence_digest"] in evidence_digests,
                f"{name}: {vote['by']['name']} voted on something that is not here",
            )
        # One that was superseded may have been live before.
        states = {promotion["state"], *(one["to"] for one in promotion["states"] if one["to"] != "approved")}
        if states & _APPROVED or promotion["id"] in moved:
            _quorum(name, promotion, contributors, finding)
    for one in release["live"]:
        finding.expect(
            one["how"] != "promoted" or one["environment"] in asked_for,
            f"release.json: it went live in {one['environment']}, and no promotion to it is here",
        )


def _quorum(name: str, promotion: dict[str, Any], contributors: set[str], finding: Finding) -> None:
    policy = next((one for one in promotion["policies"] if one["digest"] == promotion["policy_digest"]), None)
    last = next(
        (one for one in promotion["rounds"] if one["document"]["round"] == promotion["check_round"]), None
    )
    if policy is None or last is None:
        finding.faults.append(f"{name}: it went on without checks, or its policy is not here")
        return
    document = last["document"]
    finding.expect(
        (document["verdict"], document["policy"]) == ("pass", promotion["policy_digest"]),
        f"{name}: it went on without checks that passed",
    )
    quorum = policy["body"].get("quorum", _DEFAULT_QUORUM)
    if quorum == 0:
        return
    requester = promotion["requested_by"]
    own = contributors | ({requester["id"]} if requester else set())
    voters = _voters(promotion, last["digest"])
    for person in sorted(voters & own):
        finding.faults.append(f"{name}: {person} approved a change of their own")
    count = len(voters - own)
    finding.expect(count >= quorum, f"{name}: {count} of {quorum} approvals count")


def _voters(promotion: dict[str, Any], evidence_digest: str) -> set[str]:
    """The people whose approval is bound to exactly what was in force at the end."""
    wanted = (
        promotion["release_digest"], evidence_digest, promotion["policy_digest"], promotion["plan_digest"]
    )  # fmt: skip
    return {
        vote["by"]["id"]
        for vote in promotion["votes"]
        if vote["choice"] == "approve" and tuple(vote[part] for part in BINDING) == wanted
    }
