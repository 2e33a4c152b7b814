"""API keys: made, listed, looked up, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from promptstore.core import audit, clock, outbox
from promptstore.core.actors import Actor, ActorKind
from promptstore.core.errors import InvalidInput, NotFound
from promptstore.core.models import ApiKey, Environment, Membership
from promptstore.core.models.keys import KEY_PREFIXES
from promptstore.core.permissions import SCOPES, require

# A key's last use is written at most this often, so that reading through the API does not become writing.
LAST_USE_PRECISION = timedelta(minutes=5)


def digest_of(key: str) -> str:
    """SHA-256 in hex. The key itself has 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def create_service_key(
    *,
    actor: Actor,
    environment: Environment,
    name: str,
    scopes: list[str],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A key for one service in one environment; the secret is returned this once."""
    require(actor, "key.manage", project_id=environment.project_id)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidInput(f"Choose scopes from {', '.join(SCOPES)}.", field="scopes")
    key, secret = _create(
        kind=ApiKey.Kind.SERVICE,
        project_id=environment.project_id,
        environment=environment,
        name=name,
        scopes=scopes,
        expires_at=expires_at,
        created_by_id=actor.user_id,
    )
    audit.record(
        actor=actor,
        action="key.created",
        target=key,
        project_id=key.project_id,
        after={"environment": environment.slug, "scopes": scopes},
    )
    outbox.emit("snapshot.publish", {"environment_id": str(environment.id)})
    return key, secret


@transaction.atomic
def create_personal_token(
    *, actor: Actor, project_id: UUID, name: str, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A token that carries its owner's rights, whatever they are at the time of use."""
    require(actor, "project.read", project_id=project_id)
    if actor.user_id is None:
        raise InvalidInput("Only people have personal tokens; make a service key instead.", field="kind")
    key, secret = _create(
        kind=ApiKey.Kind.PERSONAL,
        project_id=project_id,
        user_id=actor.user_id,
        name=name,
        expires_at=expires_at,
        created_by_id=actor.user_id,
    )
    audit.record(actor=actor, action="token.created", target=key, project_id=project_id)
    return key, secret


@transaction.atomic
def revoke_key(*, actor: Actor, key_id: UUID, project_id: UUID, reason: str = "") -> ApiKey:
    """Stop a key. Connected serving nodes refuse it within two seconds. Revoking twice changes nothing."""
    key = ApiKey.objects.select_for_update().filter(pk=key_id, project_id=project_id).first()
    if key is None:
        raise NotFound("No such key in this project.", field="key")
    if key.user_id is None or key.user_id != actor.user_id:
        require(actor, "key.manage", project_id=project_id)
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        key.save(update_fields=["revoked_at"])
        audit.record(actor=actor, action="key.revoked", target=key, project_id=project_id, reason=reason)
        if key.environment_id:
            outbox.emit("snapshot.publish", {"environment_id": str(key.environment_id)})
    return key


def key_by_id(*, key_id: UUID, project_id: UUID) -> ApiKey:
    """A key of the project with its environment; raises `NotFound`."""
    key = ApiKey.objects.select_related("environment").filter(pk=key_id, project_id=project_id).first()
    if key is None:
        raise NotFound("No such key in this project.", field="key")
    return key


def personal_tokens(*, user_id: UUID | None, project_id: UUID) -> QuerySet[ApiKey]:
    """A person's tokens in a project, newest first, ended ones too; none for whoever is no person."""
    rows = ApiKey.objects.filter(project_id=project_id, kind=ApiKey.Kind.PERSONAL).order_by("-id")
    return rows.filter(user_id=user_id) if user_id else rows.none()


def service_keys(*, project_id: UUID) -> QuerySet[ApiKey]:
    """A project's service keys with environment and maker, newest first, ended ones too."""
    return (
        ApiKey.objects.filter(project_id=project_id, kind=ApiKey.Kind.SERVICE)
        .select_related("environment", "created_by")
        .order_by("-id")
    )


def actor_for_key(presented: str) -> Actor | None:
    """The actor behind a presented key, or `None` when it is unknown, expired, revoked or its owner is gone."""
    key = (
        ApiKey.objects.select_related("user")
        .filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now()),
            digest=digest_of(presented),
            revoked_at__isnull=True,
        )
        .first()
    )
    if key is None:
        return None
    if key.user is not None and not (key.user.is_active and _is_member(key)):
        return None
    _mark_used(key)
    if key.user is not None:
        return actor_for_user(key.user)
    return Actor(
        kind=ActorKind.SERVICE,
        id=str(key.id),
        name=key.name,
        project_id=key.project_id,
        environment_id=key.environment_id,
        scopes=frozenset(key.scopes),
    )


def actor_for_user(user: Any) -> Actor:
    """A signed-in person as an actor."""
    return Actor(kind=ActorKind.USER, id=str(user.pk), name=str(user))


def _is_member(key: ApiKey) -> bool:
    return Membership.objects.filter(project_id=key.project_id, user=key.user).exists()


def _mark_used(key: ApiKey) -> None:
    now = clock.now()
    if key.last_used_at is None or now - key.last_used_at >= LAST_USE_PRECISION:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)


def _create(*, kind: str, name: str, **fields: object) -> tuple[ApiKey, str]:
    if not name.strip():
        raise InvalidInput("Give the key a name that says who uses it.", field="name")
    secret = KEY_PREFIXES[kind] + secrets.token_urlsafe(32)
    key = ApiKey(kind=kind, name=name.strip()[:120], digest=digest_of(secret), hint=secret[-4:], **fields)
    key.save(force_insert=True)
    return key, secret
