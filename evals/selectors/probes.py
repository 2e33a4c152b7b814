"""Reads of drift probes: an entry's runs, what is known about it, and what a drift is to those above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from evals.models import DriftProbe, ProbeRun
from evals.probes.summaries import changed_cases, sentence
from promptstore.core.errors import NotFound
from registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class DriftState:
    """What is known about one entry. `pending` is the id of the run that is under way; `probe` is None before the first wish."""

    probe: DriftProbe | None
    latest: ProbeRun | None
    pending: UUID | None

    @property
    def baseline(self) -> ProbeRun | None:
        return self.probe.baseline if self.probe else None


@dataclass(frozen=True, slots=True)
class DriftFacts:
    """A run that drifted, as incidents tell of it: `evidence` is JSON."""

    project_id: UUID
    run_id: UUID
    entry_id: UUID
    entry: str
    entry_digest: str
    sentence: str
    evidence: Mapping[str, Any]


def probe_runs(*, entry: ModelVersion) -> QuerySet[ProbeRun]:
    """An entry's runs, newest first, without their cases."""
    return (
        ProbeRun.objects.filter(entry=entry, project_id=entry.project_id)
        .select_related("entry__model")
        .defer("cases")
        .order_by("-id")
    )


def probe_run(*, entry: ModelVersion, run_id: UUID) -> ProbeRun:
    """One run of an entry with its cases; raises `NotFound`."""
    run = (
        ProbeRun.objects.filter(pk=run_id, entry=entry, project_id=entry.project_id)
        .select_related("entry__model", "baseline")
        .first()
    )
    if run is None:
        raise NotFound(f"{entry} has no such probe run.", field="run")
    return run


def drift_state(*, entry: ModelVersion) -> DriftState:
    """Baseline, latest run and what is under way."""
    probe = (
        DriftProbe.objects.filter(entry=entry, project_id=entry.project_id)
        .select_related("baseline__entry__model")
        .first()
    )
    return DriftState(
        probe=probe, latest=probe_runs(entry=entry).first(), pending=probe.ticket if probe else None
    )


def sentence_of(run: ProbeRun) -> str:
    """What a run found, for people."""
    return sentence(
        outcome=run.outcome,
        summary=run.summary,
        difference=run.difference,
        lower=run.lower,
        upper=run.upper,
        threshold=run.threshold,
    )


def changed_in(run: ProbeRun) -> list[dict[str, Any]]:
    """The cases that changed since the run's baseline, the most changed first, with an answer of either side."""
    return changed_cases(run.cases, run.baseline.cases) if run.baseline else []


def drift_facts(*, run_id: UUID) -> DriftFacts:
    """Of a run that drifted; for the product itself. Raises `NotFound`."""
    run = ProbeRun.objects.filter(pk=run_id).select_related("entry__model", "baseline").first()
    if run is None:
        raise NotFound("There is no such probe run.", field="run")
    said = sentence_of(run)
    return DriftFacts(
        project_id=run.project_id,
        run_id=run.pk,
        entry_id=run.entry_id,
        entry=str(run.entry),
        entry_digest=run.entry.digest,
        sentence=said,
        evidence=_evidence(run, said, changed_in(run)),
    )


def _evidence(run: ProbeRun, said: str, changed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    assert run.baseline is not None  # without one a run does not drift
    return {
        "entry": str(run.entry),
        "entry_digest": run.entry.digest,
        "model": run.entry.model.name,
        "version": run.entry.version,
        "provider": run.entry.provider,
        "provider_model_id": run.entry.provider_model_id,
        "run": str(run.pk),
        "at": run.finished_at.isoformat(),
        "baseline": str(run.baseline.pk),
        "baseline_at": run.baseline.finished_at.isoformat(),
        "sentence": said,
        "difference": run.difference,
        "lower": run.lower,
        "upper": run.upper,
        "threshold": run.threshold,
        "compared": run.summary["compared"],
        "changed": list(changed),
        "provider_models": {"before": run.baseline.provider_models, "after": run.provider_models},
        "endpoint_revision": {"before": run.baseline.endpoint_revision, "after": run.endpoint_revision},
    }
