"""The one call after a database came back from a backup: nothing moves by itself, nodes follow again, and the log says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.contrib.sessions.models import Session
from django.db import transaction

from incidents.services.restoring import give_up_pending
from promptstore.core import audit, crypto, keys
from promptstore.core.actors import Actor, system
from promptstore.core.audit.restores import ACTION
from promptstore.core.models import ApiKey, AuditSeal, Environment, IdempotentReply, Project
from releases.services.restoring import hold_after_restore
from serving.publisher import start_epoch

ACTOR = system("restore")


@dataclass(frozen=True)
class Origin:
    """Which backup the database came from: id, moment (ISO 8601), product version, and the head of its audit log."""

    backup_id: str
    made_at: str
    product: str
    sequence: int
    head: str


@dataclass(frozen=True)
class Former:
    """What the database that is replaced held: the head of its log, and the ids of keys that were revoked there."""

    sequence: int
    head: str
    revoked_keys: Sequence[str] = ()


@dataclass(frozen=True)
class Resumed:
    """What was done, for the person who restores. `epochs` maps `project/environment` to the new `(epoch, generation)`.

    `keys_to_check` are the API keys that work again as of now, as `project: name (…hint)`.
    """

    restore_id: str
    sequence: int
    head: str
    epochs: Mapping[str, tuple[int, int]]
    rollouts_paused: int
    approvals_dismissed: int
    checks_cancelled: int
    messages_given_up: int
    sessions_ended: int
    keys_revoked_again: int
    keys_to_check: Sequence[str]
    log_is_whole: bool
    faults: Sequence[str]


def resume_after_restore(*, origin: Origin, former: Former | None) -> Resumed:
    """Make a restored database ready for use, in one transaction.

    Events that were not sealed yet are sealed first, then each project's log receives the event `system.restored`, so that the
    chain itself shows the restore. Running rollouts are paused, pending messages given up, sessions ended, keys revoked again that
    the `former` database knew as revoked. Every environment starts a new snapshot epoch, which nodes prefer to whatever generation
    they have seen. Raises `CryptoUnavailable`, and changes nothing, when the master key does not open the signing keys.
    """
    restore_id = uuid4().hex
    with transaction.atomic():
        _prove_master_key()
        _seal_all()
        totals = {
            "rollouts_paused": 0,
            "approvals_dismissed": 0,
            "checks_cancelled": 0,
            "messages_given_up": 0,
        }
        for project in Project.objects.order_by("id"):
            _record(restore_id, project, origin, former)
            for name, count in _hold(project, origin).items():
                totals[name] += count
        again = _revoke_again(ACTOR, former.revoked_keys if former else ())
        sessions = Session.objects.count()
        Session.objects.all().delete()
        # A claim whose answer never came: the client may try the write again.
        IdempotentReply.objects.filter(status__isnull=True).delete()
        roots = [start_epoch(pk) for pk in Environment.objects.order_by("id").values_list("pk", flat=True)]
        _seal_all()
        found = audit.verify()
    return Resumed(
        restore_id=restore_id,
        sequence=found.sequence,
        head=found.head,
        epochs={f"{root.project}/{root.environment_slug}": (root.epoch, root.generation) for root in roots},
        sessions_ended=sessions,
        keys_revoked_again=again,
        keys_to_check=_working_keys(),
        log_is_whole=found.ok,
        faults=found.faults[:20],
        **totals,
    )


def _prove_master_key() -> None:
    for purpose in ("audit", "snapshot"):
        crypto.sign(crypto.signing_key(purpose), b"restore")


def _seal_all() -> None:
    while audit.seal_pending():
        pass


def _record(restore_id: str, project: Project, origin: Origin, former: Former | None) -> None:
    last = AuditSeal.objects.filter(event__project=project).order_by("-sequence").first()
    lost = (
        f"The database it replaced had reached sequence {former.sequence}."
        if former
        else "What was recorded after the backup is not known here."
    )
    audit.record(
        actor=ACTOR,
        action=ACTION,
        target=project,
        project_id=project.id,
        after={
            "restore": restore_id,
            "backup": {
                "id": origin.backup_id,
                "made_at": origin.made_at,
                "product": origin.product,
                "sequence": origin.sequence,
                "head": origin.head,
            },
            "former": {"sequence": former.sequence, "head": former.head} if former else None,
            "last_event_of_project": last.sequence if last else None,
        },
        reason=f"From the backup of {origin.made_at}, which ended at sequence {origin.sequence}. {lost}",
    )


def _hold(project: Project, origin: Origin) -> dict[str, int]:
    reason = f"Restored from the backup of {origin.made_at}."
    held = hold_after_restore(actor=ACTOR, project_id=project.id, reason=reason)
    return {
        "rollouts_paused": held.paused,
        "approvals_dismissed": held.dismissed,
        "checks_cancelled": held.cancelled,
        "messages_given_up": give_up_pending(
            project_id=project.id, reason=f"{reason} It may have been sent already."
        ),
    }


def _revoke_again(actor: Actor, key_ids: Sequence[str]) -> int:
    alive = list(
        ApiKey.objects.filter(pk__in=list(map(UUID, key_ids)), revoked_at__isnull=True).order_by("id")
    )
    for key in alive:
        keys.revoke_key(
            actor=actor,
            key_id=key.pk,
            project_id=key.project_id,
            reason="Revoked before the restore already.",
        )
    return len(alive)


def _working_keys() -> list[str]:
    rows = ApiKey.objects.select_related("project").order_by("project__slug", "id")
    return [f"{key.project.slug}: {key.name} ({key.shown})" for key in rows if key.state == "active"]
