"""One run of a drift probe, from its ticket to its row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings as config
from django.db import transaction
from django.db.models import Q

from evals.models import DriftProbe, ProbeRun
from evals.probes import BUILT_IN, Comparison, ProbeCase, compare, read
from evals.probes.asking import Asked, CaseReplies, ask
from evals.probes.comparison import can_be_read
from evals.probes.summaries import cases_of, summary_of
from evals.states import ProbeOutcome
from promptstore.core import audit, clock, outbox
from promptstore.core.actors import system
from promptstore.core.errors import DomainError
from registry.probes import ClientSettings
from registry.selectors.endpoints import client_settings

# How long a worker may be at a run. Shorter than the outbox's lease, so that a delivery after a crash finds it free.
CLAIM: Final = timedelta(minutes=25)
_PROBES: Final = system("probes")


def run_probe(*, probe_id: UUID, ticket: UUID) -> ProbeRun | None:
    """Ask the entry its questions, compare, and keep the run under `ticket`. Takes minutes and holds no lock meanwhile.

    Whoever comes second, or late, gets the run that is there already, or None while it is under way. Drift is owed to the
    outbox as `probe.drifted`. Never raises for what a provider may do: that is a run that could not be read.
    """
    probe = _claim(probe_id, ticket)
    if probe is None:
        return ProbeRun.objects.filter(pk=ticket).first()
    started = clock.now()
    settings, asked = _ask(probe)
    with transaction.atomic():
        # The baseline is read after the lock is held: a join would show what it was before somebody accepted another.
        probe = (
            DriftProbe.objects.select_for_update(of=("self",)).select_related("entry__model").get(pk=probe_id)
        )
        if probe.ticket != ticket:
            return ProbeRun.objects.filter(pk=ticket).first()
        comparison = _compared(asked, probe.baseline)
        run = _run(probe, settings, asked, comparison, started)
        run.save(force_insert=True)
        _end(probe, run)
        audit.record(
            actor=_PROBES,
            action="model.probed",
            target=probe.entry,
            project_id=probe.project_id,
            after={
                "run": str(run.pk),
                "outcome": run.outcome,
                "difference": run.difference,
                "lower": run.lower,
            },
        )
        if run.outcome == ProbeOutcome.DRIFTED:
            outbox.emit("probe.drifted", {"run_id": str(run.pk)})
    return run


def _claim(probe_id: UUID, ticket: UUID) -> DriftProbe | None:
    now = clock.now()
    with transaction.atomic():
        probe = (
            DriftProbe.objects.select_for_update(of=("self",))
            .select_related("entry__model")
            .filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now), pk=probe_id, ticket=ticket)
            .first()
        )
        if probe is not None:
            probe.claimed_until = now + CLAIM
            probe.save(update_fields=["claimed_until"])
    return probe


def _ask(probe: DriftProbe) -> tuple[ClientSettings | None, Asked]:
    """The cases of the baseline, or the built-in ones where there is none yet."""
    cases = (
        [ProbeCase.from_dict(case) for case in probe.baseline.cases]
        if probe.baseline
        else list(BUILT_IN.cases)
    )
    try:
        settings = client_settings(probe.entry.endpoint_id)
    except DomainError as error:  # the key cannot be unsealed, for example
        return None, Asked([CaseReplies(case) for case in cases], (), error.detail)
    asked = ask(settings, model_id=probe.entry.provider_model_id, params=probe.entry.params, cases=cases)
    return settings, asked


def _compared(asked: Asked, baseline: ProbeRun | None) -> Comparison | None:
    if baseline is None:
        return None
    known = {
        case["id"]: [read(answer, ProbeCase.from_dict(case).reading) for answer in case["answers"]]
        for case in baseline.cases
    }
    now = {one.case.id: one.readings for one in asked.cases}
    return compare(known, now, cases=len(asked.cases), threshold=config.PROBE_DRIFT_SHARE)


def _run(
    probe: DriftProbe,
    settings: ClientSettings | None,
    asked: Asked,
    comparison: Comparison | None,
    started: datetime,
) -> ProbeRun:
    now = {one.case.id: one.readings for one in asked.cases}
    first = ProbeOutcome.BASELINE if can_be_read(now, cases=len(asked.cases)) else ProbeOutcome.UNREADABLE
    interval = comparison.interval if comparison else None
    same_set = probe.baseline.probe_set if probe.baseline else None
    return ProbeRun(
        pk=probe.ticket,
        project_id=probe.project_id,
        entry=probe.entry,
        baseline=probe.baseline,
        outcome=comparison.outcome if comparison else first,
        probe_set=same_set or {"name": BUILT_IN.name, "version": BUILT_IN.version, "digest": BUILT_IN.digest},
        asked_by=probe.asked_by,
        endpoint_revision=settings.revision if settings else probe.entry.endpoint.revision,
        started_at=started,
        finished_at=clock.now(),
        threshold=config.PROBE_DRIFT_SHARE,
        difference=interval.estimate if interval else None,
        lower=interval.lower if interval else None,
        upper=interval.upper if interval else None,
        provider_models=list(asked.provider_models),
        cases=cases_of(asked, comparison),
        summary=summary_of(asked, comparison),
    )


def _end(probe: DriftProbe, run: ProbeRun) -> None:
    if run.outcome == ProbeOutcome.BASELINE:
        probe.baseline = run
    unreadable = run.outcome == ProbeOutcome.UNREADABLE
    probe.unreadable_runs = probe.unreadable_runs + 1 if unreadable else 0
    probe.ticket = probe.claimed_until = None
    probe.save(update_fields=["baseline", "unreadable_runs", "ticket", "claimed_until"])
