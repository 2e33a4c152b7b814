"""Drift probes: asking for a run, and accepting what one found as the new baseline."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings as config
from django.db import transaction
from django.db.models import Q

from evals.errors import NoBaseline
from evals.models import DriftProbe, ProbeRun
from evals.states import ProbeOutcome
from promptstore.core import audit, clock, outbox
from promptstore.core.actors import Actor, system
from promptstore.core.errors import InvalidInput, NotFound
from promptstore.core.ids import uuid7
from promptstore.core.permissions import require
from registry.models import ModelVersion

PERMISSION: Final = "model.register"
# For how long a second wish for a run joins the one that was asked for.
JOIN: Final = timedelta(minutes=30)
MAX_REASON_CHARS: Final = 2_000
_AT_ONCE: Final = 5  # runs asked for in one minute: probes must not crowd out other work
_PROBES: Final = system("probes")


def request_probe(*, actor: Actor, project_id: UUID, entry_id: UUID) -> UUID:
    """Ask for a run now; returns the id that it will have. While one is under way, that one's.

    Needs `model.register`. Raises `NotFound`. Locks the entry's probe.
    """
    require(actor, PERMISSION, project_id=project_id)
    entry = ModelVersion.objects.filter(pk=entry_id, project_id=project_id).first()
    if entry is None:
        raise NotFound("There is no such model version in this project.", field="version")
    with transaction.atomic():
        probe = _locked(entry)
        ticket = _open_ticket(probe) or _issue(probe, asked_by=actor.name)
        audit.record(
            actor=actor,
            action="model.probe_requested",
            target=entry,
            project_id=project_id,
            after={"run": str(ticket)},
        )
    return ticket


def request_due_probes() -> int:
    """Ask for a run of every hosted entry that is due, a few at a time; returns how many.

    For the timetable. Two schedulers at once ask once: rows that another one holds are passed over. Does nothing while
    `PROMPTSTORE_PROBE_INTERVAL_S` is 0.
    """
    if not config.PROBE_INTERVAL_S:
        return 0
    _begin_new_entries()
    with transaction.atomic():
        due = (
            DriftProbe.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(_scheduled("entry__"), due_at__lte=clock.now())
            .order_by("due_at", "id")[:_AT_ONCE]
        )
        wanted = [probe for probe in due if _open_ticket(probe) is None]
        for probe in wanted:
            _issue(probe, asked_by=_PROBES.name)
    return len(wanted)


def accept_baseline(*, actor: Actor, project_id: UUID, run_id: UUID, reason: str) -> DriftProbe:
    """From now on compare with this run: the provider's new behaviour was looked at and is wanted.

    Needs `model.register` and a reason. Raises `NotFound`, and `NoBaseline` for a run that could not be read. Incidents that
    are open stay open: closing one is a decision of its own.
    """
    require(actor, PERMISSION, project_id=project_id)
    why = reason.strip()
    if not why or len(why) > MAX_REASON_CHARS or "\x00" in why:
        raise InvalidInput(f"Say why, in at most {MAX_REASON_CHARS:,} characters.", field="reason")
    run = ProbeRun.objects.filter(pk=run_id, project_id=project_id).select_related("entry__model").first()
    if run is None:
        raise NotFound("There is no such probe run in this project.", field="run")
    if run.outcome == ProbeOutcome.UNREADABLE:
        raise NoBaseline(
            "Too few questions were answered in this run. Probe again, then accept.", field="run"
        )
    with transaction.atomic():
        probe = _locked(run.entry)
        before = probe.baseline_id
        probe.baseline = run
        probe.save(update_fields=["baseline"])
        audit.record(
            actor=actor,
            action="model.baseline_accepted",
            target=run.entry,
            project_id=project_id,
            before={"run": str(before) if before else None},
            after={"run": str(run.pk)},
            reason=why,
        )
    return probe


def _locked(entry: ModelVersion) -> DriftProbe:
    DriftProbe.objects.get_or_create(entry=entry, defaults={"project_id": entry.project_id})
    return DriftProbe.objects.select_for_update(of=("self",)).get(entry=entry)


def _scheduled(prefix: str = "") -> Q:
    """Entries that the timetable probes: another's models that are in use. Our own do not change under their checksum."""
    return Q(**{f"{prefix}kind": ModelVersion.Kind.HOSTED, f"{prefix}model__archived_at__isnull": True})


def _begin_new_entries() -> None:
    known = DriftProbe.objects.values("entry_id")
    new = ModelVersion.objects.filter(_scheduled()).exclude(pk__in=known).only("pk", "project_id")
    DriftProbe.objects.bulk_create(
        [DriftProbe(project_id=entry.project_id, entry=entry, due_at=clock.now()) for entry in new],
        ignore_conflicts=True,
    )


def _open_ticket(probe: DriftProbe) -> UUID | None:
    """The run that is under way; one that nobody began or ended for long is given up."""
    fresh = probe.asked_at is not None and clock.now() < probe.asked_at + JOIN
    return probe.ticket if fresh else None


def _issue(probe: DriftProbe, *, asked_by: str) -> UUID:
    now = clock.now()
    ticket = uuid7()
    probe.ticket, probe.asked_by, probe.asked_at, probe.claimed_until = ticket, asked_by[:160], now, None
    probe.due_at = now + timedelta(seconds=config.PROBE_INTERVAL_S)
    probe.save(update_fields=["ticket", "asked_by", "asked_at", "claimed_until", "due_at"])
    outbox.emit("probe.run", {"probe_id": str(probe.pk), "ticket": str(ticket)})
    return ticket
