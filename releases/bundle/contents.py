"""Everything that goes into one bundle, read in the caller's transaction."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from promptstore.core.actors import Actor
from promptstore.core.digests import canonical_json
from promptstore.core.models import SigningKey
from promptstore.core.permissions import allows
from releases.bundle.archive import json_lines
from releases.bundle.artifacts import artifact_members, pinned
from releases.bundle.people import people, person, without_addresses
from releases.bundle.promotions import (
    live_periods,
    policies_of,
    promotion_members,
    promotions_of,
    report_members,
)
from releases.bundle.rollouts import incident_members, incidents_of, rollout_members, rollouts_of
from releases.bundle.samples import sample_lines
from releases.bundle.trail import MAX_EVENTS, Trail, events_about, trail_of
from releases.models import Release

_NO_SAMPLES = "whoever made the bundle may not read single inferences"


@dataclass(frozen=True)
class Contents:
    """`members` by name, without index and signature; `left_out` says what is missing and why."""

    members: dict[str, bytes]
    left_out: list[dict[str, str]]


def contents_of(release: Release, *, actor: Actor, key: SigningKey) -> Contents:
    """The bundle's members for what `actor` may see; `key` will sign it."""
    left_out: list[dict[str, str]] = []
    versions = pinned(release)
    asked, moved = promotions_of(release), rollouts_of(release)
    policies, incidents = policies_of(asked), incidents_of(release, moved)
    rows = [release, *asked, *moved, *policies, *incidents, *(row for _kind, row in versions)]
    places = {promotion.deployment_id for promotion in asked}
    places |= set(release.live_periods.values_list("deployment_id", flat=True))
    events = events_about(release.project_id, [*(row.pk for row in rows), *places])
    if len(events) == MAX_EVENTS:
        left_out.append({"what": "audit events", "why": f"only the latest {MAX_EVENTS:,} are kept here"})
    trail = trail_of(events)
    may_read = allows(actor, "inference.read", project_id=release.project_id)
    members = {
        "manifest.json": canonical_json(release.manifest),
        "release.json": canonical_json(_release(release)),
        **dict(artifact_members(versions)),
        **dict(promotion_members(asked, policies, events)),
        **dict(report_members(release.project_id, asked)),
        **dict(rollout_members(moved, incidents)),
        **dict(incident_members(incidents, with_samples=may_read)),
        **_trail(trail, key),
    }
    if may_read:
        members["samples.jsonl"] = sample_lines(release, moved)
    else:
        left_out.append({"what": "samples", "why": _NO_SAMPLES})
    return Contents(members=members, left_out=left_out)


def _release(release: Release) -> dict[str, Any]:
    """Who made the release, where it was live, and what was released before it."""
    earlier = Release.objects.select_related("composed_by").filter(
        feature_id=release.feature_id, pk__lte=release.pk
    )
    return {
        "id": str(release.pk),
        "version": release.version,
        "digest": release.digest,
        "changelog": without_addresses(release.changelog),
        "composed_at": release.created_at.isoformat(),
        "composed_by": person(release.composed_by),
        "contributors": people(release.contributors),
        "live": live_periods(release),
        "history": [
            {
                "version": row.version,
                "digest": row.digest,
                "composed_at": row.created_at.isoformat(),
                "composed_by": person(row.composed_by),
                "changelog": without_addresses(row.changelog),
            }
            for row in earlier.order_by("pk")
        ],
    }


def _trail(trail: Trail, key: SigningKey) -> dict[str, bytes]:
    members = {
        "audit/events.jsonl": json_lines(trail.lines),
        "audit/chain.json": canonical_json(trail.chain),
    }
    for one in [key, *trail.keys]:
        body = {
            "key_id": one.key_id,
            "purpose": one.purpose,
            "algorithm": "Ed25519",
            "public_key": base64.b64encode(bytes(one.public_key)).decode(),
        }
        members[f"keys/{one.key_id}.json"] = canonical_json(body)
    return members
