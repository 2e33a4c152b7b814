"""From releases to what nodes serve: feature documents, a node document, and the signed root that names them.

Publishing locks the environment's row, so generations follow each other; what did not change is not written again.
"""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from promptstore.core import clock, crypto
from promptstore.core.digests import canonical_json, digest_bytes
from promptstore.core.killpoints import KillPoint, reach
from promptstore.core.models import ApiKey, Environment
from registry import documents
from registry.models import Endpoint
from releases.models import Deployment, Release, Rollout
from releases.selectors.routing import routing_of
from releases.states import GOING_UP
from serving.models import Document, Root
from serving.verify import FORMAT

CHANNEL = "promptstore_snapshot"


def publish(environment_id: UUID) -> Root:
    """Write the environment's snapshot if anything in it changed, and wake the nodes; returns the newest root."""
    with transaction.atomic():
        environment = _lock(environment_id)
        last = Root.objects.filter(environment=environment).order_by("-epoch", "-generation").first()
        listed = {slug: _store("feature", body) for slug, body in _features(environment)}
        node = _store("node", _node_document(environment))
        if last and _same(last, listed, node):
            return last
        root = _write_root(environment, last, listed, node)
        reach(KillPoint.PUBLISHER_BEFORE_COMMIT)
    reach(KillPoint.PUBLISHER_AFTER_COMMIT)
    return root


def start_epoch(environment_id: UUID) -> Root:
    """After a restore from backup: a higher epoch, so that nodes take an older generation than they have seen."""
    with transaction.atomic():
        environment = _lock(environment_id)
        last = Root.objects.filter(environment=environment).order_by("-epoch", "-generation").first()
        listed = {slug: _store("feature", body) for slug, body in _features(environment)}
        # Seconds since 1970 exceed any epoch that was lost with the backup.
        epoch = max(int(time.time()), last.epoch + 1 if last else 1)
        return _write_root(
            environment, last, listed, _store("node", _node_document(environment)), epoch=epoch
        )


def _lock(environment_id: UUID) -> Environment:
    """One publisher at a time. Rows that refer to the environment (telemetry above all) may still be written meanwhile."""
    return (
        Environment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project")
        .get(pk=environment_id)
    )


def _write_root(
    environment: Environment,
    last: Root | None,
    listed: dict[str, str],
    node: str,
    *,
    epoch: int | None = None,
) -> Root:
    epoch = epoch or (last.epoch if last else 1)
    generation = last.generation + 1 if last else 1
    body = canonical_json(
        {
            "format": FORMAT,
            "project": environment.project.slug,
            "environment": environment.slug,
            "epoch": epoch,
            "generation": generation,
            "written_at": clock.now().isoformat(),
            "documents": listed,
            "node": node,
        }
    )
    key = crypto.signing_key("snapshot")
    root = Root.objects.create(
        environment=environment,
        project=environment.project.slug,
        environment_slug=environment.slug,
        epoch=epoch,
        generation=generation,
        body=body,
        signature=crypto.sign(key, body),
        key_id=key.key_id,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(environment.id)])
    return root


def _same(last: Root, listed: dict[str, str], node: str) -> bool:
    body = json.loads(bytes(last.body))
    return bool(body["documents"] == listed and body["node"] == node)


def _store(kind: str, body: dict[str, Any]) -> str:
    data = canonical_json(body)
    digest = digest_bytes(data)
    if not Document.objects.filter(pk=digest).exists():
        Document.objects.bulk_create([Document(digest=digest, kind=kind, body=data)], ignore_conflicts=True)
    return digest


def _features(environment: Environment) -> list[tuple[str, dict[str, Any]]]:
    deployments = (
        Deployment.objects.select_related("feature", "stable_release")
        .filter(environment=environment)
        .order_by("feature__slug")
    )
    return [(deployment.feature.slug, _feature_document(deployment)) for deployment in deployments]


def _feature_document(deployment: Deployment) -> dict[str, Any]:
    stable = deployment.stable_release
    rollout = routing_of(deployment)
    releases: dict[str, Release] = {stable.digest: stable} if stable else {}
    if rollout:
        releases[rollout.candidate.digest] = rollout.candidate
    return {
        "format": FORMAT,
        "feature": deployment.feature.slug,
        "stable": stable.digest if stable else None,
        "rollout": {
            "id": str(rollout.id),
            "state": rollout.state,
            "candidate": rollout.candidate.digest,
            "salt": rollout.salt,
            "candidate_bp": rollout.weight_bp,
            "withdrawn_bp": rollout.withdrawn_bp,
            "on_withdraw": rollout.on_withdraw,
            **_copies(rollout),
        }
        if rollout
        else None,
        "releases": {
            digest: documents.resolve(deployment.project_id, release.manifest, digest)
            for digest, release in releases.items()
        },
    }


def _copies(rollout: Rollout) -> dict[str, int]:
    """What nodes copy of the calls that they answered; nothing where there is nothing, as before there were copies."""
    if rollout.state not in GOING_UP:
        return {}
    shares = {"shadow_bp": rollout.mirrored_bp, "pairs_bp": rollout.plan.pairs_bp}
    return {name: share for name, share in shares.items() if share}


def _node_document(environment: Environment) -> dict[str, Any]:
    now = clock.now()
    keys = ApiKey.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now), environment=environment, revoked_at__isnull=True
    )
    endpoints = Endpoint.objects.filter(project_id=environment.project_id).order_by("id")
    return {
        "format": FORMAT,
        "keys": {
            key.digest: {
                "id": str(key.id),
                "name": key.name,
                "scopes": sorted(key.scopes),
                "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            }
            for key in keys
        },
        "endpoints": {
            str(endpoint.id): {
                "revision": endpoint.revision,
                "base_url": endpoint.base_url,
                "protocol": endpoint.protocol,
                "allow_private": endpoint.allow_private,
                "has_credential": endpoint.credential_id is not None,
            }
            for endpoint in endpoints
        },
    }
