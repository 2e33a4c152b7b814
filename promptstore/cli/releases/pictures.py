"""Promotions and rollouts as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptstore.cli.output import weight

_LATEST = 5


def promotion_lines(found: Mapping[str, Any]) -> list[str]:
    """A promotion: state, gates, votes, whose turn it is, and the digests that an approval needs."""
    promotion = found["promotion"]
    release = promotion["release"]
    lines = [
        f"{release['feature']} {release['version']} to {promotion['environment']}: {_words(promotion['state'])}",
        f"  promotion  {promotion['id']}",
        f"  release    {found['release_digest']}",
        f"  evidence   {found['evidence_digest'] or 'none yet'}",
    ]
    lines += [f"  gate       {gate['name']}: {gate['verdict']}" for gate in found["gates"]]
    lines.append(f"  approvals  {found['approvals']} of {found['quorum']}")
    lines += [f"             {_vote(vote)}" for vote in found["votes"]]
    if promotion["rollout"]:
        lines.append(f"  rollout    {promotion['rollout']}")
    if found["turn"]:
        lines.append(f"  {found['turn']}")
    return lines


def rollout_lines(found: Mapping[str, Any]) -> list[str]:
    """A rollout: where it stands, what it waits for, each rule's verdict, the latest decisions."""
    rollout, steps = found["rollout"], found["plan"]["steps"]
    candidate, baseline = rollout["candidate"], rollout["baseline"]
    against = f" against {baseline['version']}" if baseline else ""
    stands = f"{_stands(rollout)}, step {rollout['step'] + 1} of {len(steps)}"
    lines = [
        f"{candidate['feature']} {candidate['version']}{against} in {rollout['environment']}: {stands}",
        f"  rollout    {rollout['id']}",
        f"  samples    {', '.join(f'{arm} {count}' for arm, count in found['samples'].items()) or 'none yet'}",
    ]
    lines += [f"  waits for  {reason}" for reason in found["waits_for"]]
    if rollout["pause_reason"]:
        lines.append(f"  paused     {rollout['pause_reason']}")
    for rule in found["measurements"]:
        lines.append(f"  rule       {rule['id']}: {_words(rule['verdict'])}  ({rule['when']})")
    lines += [f"  {_decision(one)}" for one in found["decisions"][:_LATEST]]
    if found["withdrawn"]:
        lines.append(f"  {found['withdrawn']}")
    return lines


def promotion_row(promotion: Mapping[str, Any]) -> tuple[str, ...]:
    release = promotion["release"]
    return (
        promotion["id"],
        f"{release['feature']} {release['version']}",
        promotion["environment"],
        _words(promotion["state"]),
    )


def rollout_row(rollout: Mapping[str, Any]) -> tuple[str, ...]:
    candidate = rollout["candidate"]
    return (
        rollout["id"],
        f"{candidate['feature']} {candidate['version']}",
        rollout["environment"],
        _stands(rollout),
    )


def _stands(rollout: Mapping[str, Any]) -> str:
    """State and weight. What carries on without any weight is in shadow: nobody gets its answers yet."""
    in_shadow = not rollout["weight_bp"] and rollout["state"] in {"running", "paused"}
    place = "in shadow" if in_shadow else f"at {weight(rollout['weight_bp'])}"
    return f"{_words(rollout['state'])} {place}"


def _vote(vote: Mapping[str, Any]) -> str:
    text = f"{vote['person']}: {vote['choice']}"
    if vote["comment"]:
        text += f" “{vote['comment']}”"
    return f"{text} (does not count: {vote['why_not']})" if vote["why_not"] else text


def _decision(decision: Mapping[str, Any]) -> str:
    moved = ""
    if decision["from_weight_bp"] != decision["to_weight_bp"]:
        moved = f" {weight(decision['from_weight_bp'])} → {weight(decision['to_weight_bp'])}"
    said = " ".join(decision["sentences"])
    return f"{decision['at']}  {_words(decision['kind'])}{moved} by {decision['actor']}. {said}".rstrip()


def _words(name: str) -> str:
    return name.replace("_", " ")
