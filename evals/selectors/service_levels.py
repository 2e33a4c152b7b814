"""What a provider promised beside what was measured: by probes, and by production's own calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Aggregate, Count, FloatField, Q

from evals.models import ProbeRun
from promptstore.core import clock
from promptstore.core.models import Environment
from registry.models import Feature, ModelVersion
from stats.histogram import LogHistogram
from stats.intervals import Interval, wilson
from telemetry.events import Status
from telemetry.models import Inference

PROBES_WINDOW: Final = timedelta(days=30)
PRODUCTION_WINDOW: Final = timedelta(hours=1)
MAX_CALLS: Final = 20_000  # looked at, so that a busy hour does not make a slow page


class _P95(Aggregate):
    """PostgreSQL's `percentile_cont(0.95)`."""

    function = "percentile_cont"
    template = "%(function)s(0.95) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class Promise:
    """What the entry records of the provider's promise; None where it records nothing. `availability` runs from 0 to 1."""

    availability: float | None
    p95_latency_ms: int | None


@dataclass(frozen=True, slots=True)
class Measured:
    """Calls of one kind over one window. `p95_latency_ms` is None where nothing was answered.

    A promise is kept unless the measurement is on the other side of it for certain: for the availability, the whole interval.
    """

    label: str
    calls: int
    answered: int
    p95_latency_ms: float | None
    promise: Promise

    @property
    def availability(self) -> Interval | None:
        """The share of answered calls with Wilson's 95 % interval; None where nothing was asked."""
        return wilson(self.answered, self.calls) if self.calls else None

    @property
    def availability_kept(self) -> bool | None:
        """None where nothing is promised or measured."""
        found = self.availability
        if found is None or self.promise.availability is None:
            return None
        return found.upper >= self.promise.availability

    @property
    def latency_kept(self) -> bool | None:
        """None where nothing is promised or measured."""
        if self.p95_latency_ms is None or self.promise.p95_latency_ms is None:
            return None
        return self.p95_latency_ms <= self.promise.p95_latency_ms


def promise_of(entry: ModelVersion) -> Promise:
    """The entry's `service_level` as values."""
    availability_bp = entry.service_level.get("availability_bp")
    return Promise(
        availability=None if availability_bp is None else availability_bp / 10_000,
        p95_latency_ms=entry.service_level.get("latency_p95_ms"),
    )


def service_level(*, entry: ModelVersion) -> list[Measured]:
    """Both measurements of one entry: probes of the last 30 days, production of the last hour."""
    promise = promise_of(entry)
    return [_by_probes(entry, promise), _in_production(entry, promise)]


def _by_probes(entry: ModelVersion, promise: Promise) -> Measured:
    """A question that was not asked any more counts neither way."""
    summaries = ProbeRun.objects.filter(
        entry=entry, project_id=entry.project_id, finished_at__gte=clock.now() - PROBES_WINDOW
    ).values_list("summary", flat=True)
    calls = answered = 0
    latencies = LogHistogram()
    for summary in summaries:
        calls += summary["asked"] - summary["failures"].get("not_asked", 0)
        answered += summary["answered"]
        latencies = latencies.merge(LogHistogram.from_json(summary["latency_histogram"]))
    return Measured("Probes, last 30 days", calls, answered, latencies.quantile(0.95), promise)


def _in_production(entry: ModelVersion, promise: Promise) -> Measured:
    """At most `MAX_CALLS` calls of the last hour, as their users saw them; failed ones count for the latency too."""
    # Every environment and feature by name, so that the index by place and time is used.
    places = {
        "environment__in": Environment.objects.filter(project_id=entry.project_id).values("pk"),
        "feature__in": Feature.objects.filter(project_id=entry.project_id).values("slug"),
    }
    calls = Inference.objects.filter(
        **places, at__gte=clock.now() - PRODUCTION_WINDOW, model=entry.model.name, model_version=entry.version
    )[:MAX_CALLS]
    found = calls.aggregate(
        calls=Count("pk"), failed=Count("pk", filter=Q(status=Status.ERROR)), p95=_P95("latency_ms")
    )
    answered = found["calls"] - found["failed"]
    return Measured("Production, last hour", found["calls"], answered, found["p95"], promise)
