"""The one permission table, and the one function that enforces it.

Services call `require` inside their transaction; views and templates may ask `allows` to decide what to show, never instead.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from promptstore.core.actors import Actor, ActorKind
from promptstore.core.errors import NotAllowed
from promptstore.core.models import Membership


class Role(StrEnum):
    WRITER = "writer"
    ENGINEER = "engineer"
    ANNOTATOR = "annotator"
    APPROVER = "approver"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    OWNER = "owner"


_EVERYBODY = frozenset(Role)
_W, _E, _AN, _AP, _OP, _AU, _OW = Role

# permission → roles that hold it. An owner holds everything except what separation of duties forbids case by case.
TABLE: dict[str, frozenset[Role]] = {
    "project.read": _EVERYBODY,
    "prompt.edit": frozenset({_W, _E, _OW}),
    "prompt.publish": frozenset({_W, _E, _OW}),
    "prompt.withdraw": frozenset({_E, _OW}),
    "model.register": frozenset({_E, _OW}),
    "endpoint.manage": frozenset({_E, _OW}),
    "config.publish": frozenset({_E, _OW}),
    "feature.manage": frozenset({_E, _OW}),
    "dataset.edit": frozenset({_W, _E, _AN, _OW}),
    "dataset.erase": frozenset({_E, _OW}),
    "release.compose": frozenset({_W, _E, _OW}),
    "promotion.request": frozenset({_W, _E, _OW}),
    "promotion.cancel": frozenset({_W, _E, _OP, _OW}),
    "promotion.approve": frozenset({_AP, _OW}),
    "promotion.reject": frozenset({_AP, _OW}),
    "rollout.start": frozenset({_E, _OP, _OW}),
    "rollout.pause": frozenset({_E, _OP, _OW}),
    "rollout.resume": frozenset({_OP, _OW}),
    "rollout.advance": frozenset({_OP, _OW}),
    "rollout.roll_back": frozenset({_E, _OP, _OW}),
    "incident.acknowledge": frozenset({_E, _OP, _OW}),
    "incident.mitigate": frozenset({_OP, _OW}),
    "incident.resolve": frozenset({_OP, _OW}),
    "incident.comment": frozenset({_W, _E, _AP, _OP, _OW}),
    "review.read": frozenset({_E, _AN, _AP, _OP, _AU, _OW}),
    "review.label": frozenset({_E, _AN, _OW}),
    "review.settle": frozenset({_E, _AP, _OW}),
    "review.compare": frozenset({_AP, _OP, _OW}),
    "scan.report": frozenset({_W, _E, _OW}),
    "policy.manage": frozenset({_OW}),
    "member.manage": frozenset({_OW}),
    "key.manage": frozenset({_E, _OW}),
    "audit.read": frozenset({_AU, _AP, _OP, _OW}),
    "inference.read": frozenset({_E, _AP, _OP, _AU, _OW}),
}

# What a service key may be scoped to, and the permissions that each scope carries on the management API.
SCOPES: dict[str, frozenset[str]] = {
    "serve": frozenset({"project.read"}),
    "telemetry": frozenset(),
    "release": frozenset({"project.read", "release.compose", "promotion.request"}),
    "scan": frozenset({"project.read", "scan.report"}),
}


def roles_of(*, user_id: UUID, project_id: UUID) -> frozenset[Role]:
    """The roles that an active person holds in a project now; empty for strangers."""
    row = (
        Membership.objects.filter(user_id=user_id, project_id=project_id, user__is_active=True)
        .values_list("roles", flat=True)
        .first()
    )
    return frozenset(Role(role) for role in row or ())


def allows(actor: Actor, permission: str, *, project_id: UUID) -> bool:
    """Whether `actor` holds `permission` in the project at this moment. Unknown permissions raise `KeyError`."""
    holders = TABLE[permission]
    if actor.kind is ActorKind.SYSTEM:
        return True
    if actor.kind is ActorKind.SERVICE:
        return actor.project_id == project_id and any(permission in SCOPES[scope] for scope in actor.scopes)
    user_id = actor.user_id
    return user_id is not None and bool(roles_of(user_id=user_id, project_id=project_id) & holders)


def require(actor: Actor, permission: str, *, project_id: UUID) -> None:
    """Raise `NotAllowed` unless `actor` holds `permission`; names the roles that would."""
    if not allows(actor, permission, project_id=project_id):
        holders = " or ".join(sorted(role.value for role in TABLE[permission])[:3])
        raise NotAllowed(
            f"{actor.name} lacks “{permission}” in this project. Ask an owner for a role such as {holders}.",
            extra={"permission": permission},
        )
