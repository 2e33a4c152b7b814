"""Probes beside themselves, with real threads and real commits."""

from __future__ import annotations

from uuid import UUID

import pytest

from evals import services
from evals.models import DriftProbe, ProbeRun
from promptstore.core.clock import ManualClock
from promptstore.core.models import AuditEvent, OutboxMessage
from providers.scripted import ScriptedServer
from registry.models import ModelVersion
from tests.cast import Cast, make_cast
from tests.evals.probe_cast import entry_of, request
from tests.threads import at_once


@pytest.fixture
def crew(transactional_db: None, clock: ManualClock) -> Cast:
    return make_cast("acme")


@pytest.fixture
def entry(crew: Cast, provider: ScriptedServer) -> ModelVersion:
    return entry_of(crew, provider)


def test_three_timetables_at_once_ask_for_one_run(entry: ModelVersion) -> None:
    assert sorted(at_once(*[services.request_due_probes] * 3)) == [0, 0, 1]
    assert OutboxMessage.objects.filter(topic="probe.run").count() == 1


def test_three_deliveries_at_once_make_one_run(
    entry: ModelVersion, crew: Cast, provider: ScriptedServer
) -> None:
    ticket = request(crew, entry)
    probe = DriftProbe.objects.get()
    at_once(*[lambda: services.run_probe(probe_id=probe.pk, ticket=ticket)] * 3)
    assert ProbeRun.objects.get().pk == ticket
    assert provider.calls("scripted-2026-01-01") == 96
    assert AuditEvent.objects.filter(action="model.probed").count() == 1


def test_wishes_at_once_are_one_run(entry: ModelVersion, crew: Cast) -> None:
    found: list[UUID] = at_once(*[lambda: request(crew, entry)] * 4)
    assert len(set(found)) == 1
    assert OutboxMessage.objects.filter(topic="probe.run").count() == 1
    assert DriftProbe.objects.count() == 1
