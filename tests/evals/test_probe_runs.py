"""Runs of a drift probe against a real provider that changes, fails and hangs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction

from evals import services
from evals.errors import NoBaseline
from evals.models import DriftProbe, ProbeRun
from evals.probes import asking
from evals.services import probe_runs
from promptstore.core.actors import Actor
from promptstore.core.clock import ManualClock
from promptstore.core.errors import InvalidInput, NotAllowed, NotFound
from promptstore.core.models import AuditEvent, OutboxMessage
from providers.scripted import ScriptedServer
from registry.models import ModelVersion
from tests.cast import Cast
from tests.evals.probe_cast import ask_and_run, entry_of, request

STEADY = {"default": {"answer": "Always: $last"}}
CHANGED = {"default": {"answer": "From today on: $last", "provider_model": "scripted-2026-06-01"}}


@pytest.fixture
def entry(cast: Cast, provider: ScriptedServer, clock: ManualClock) -> ModelVersion:
    provider.script(STEADY)
    return entry_of(cast, provider)


def test_the_first_answers_are_the_baseline(entry: ModelVersion, cast: Cast) -> None:
    run = ask_and_run(cast, entry)
    probe = DriftProbe.objects.get(entry=entry)
    assert (run.outcome, probe.baseline, probe.ticket) == ("baseline", run, None)
    assert (run.summary["asked"], run.summary["answered"]) == (96, 96)
    assert run.provider_models == ["scripted-2026-01-01 · scripted"]
    assert run.difference is None


def test_the_same_answers_are_steady(entry: ModelVersion, cast: Cast) -> None:
    first = ask_and_run(cast, entry)
    run = ask_and_run(cast, entry)
    assert (run.outcome, run.baseline, run.difference) == ("steady", first, 0)
    assert not OutboxMessage.objects.filter(topic="probe.drifted").exists()


def test_a_provider_that_changes_under_the_same_name_drifts(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer
) -> None:
    ask_and_run(cast, entry)
    provider.script(CHANGED)
    run = ask_and_run(cast, entry)
    assert run.outcome == "drifted"
    assert run.lower is not None
    assert run.lower > run.threshold
    assert run.provider_models == ["scripted-2026-06-01 · scripted"]
    assert OutboxMessage.objects.get(topic="probe.drifted").payload == {"run_id": str(run.pk)}
    event = AuditEvent.objects.filter(action="model.probed").latest("id")
    assert event.after is not None
    assert event.after["outcome"] == "drifted"


def test_answers_at_random_are_noise_and_no_drift(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer
) -> None:
    provider.script({"default": {"answer": "$call $last"}})
    ask_and_run(cast, entry)
    assert ask_and_run(cast, entry).outcome == "steady"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 503}, "unavailable"),
        ({"status": 401}, "unauthorized"),
        ({"status": 400}, "bad_request"),
        ({"html": True}, "malformed"),
    ],
)
def test_what_could_not_be_read_is_no_drift(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer, fault: dict[str, Any], kind: str
) -> None:
    first = ask_and_run(cast, entry)
    provider.script({"default": fault})
    run = ask_and_run(cast, entry)
    assert (run.outcome, run.difference) == ("unreadable", None)
    assert run.summary["failures"] == {kind: 8, "not_asked": 88}
    probe = DriftProbe.objects.get(entry=entry)
    assert (probe.baseline, probe.unreadable_runs) == (first, 1)
    assert not OutboxMessage.objects.filter(topic="probe.drifted").exists()
    provider.script(STEADY)
    assert ask_and_run(cast, entry).outcome == "steady"
    probe.refresh_from_db()
    assert probe.unreadable_runs == 0


def test_a_provider_that_hangs_is_unreadable(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = asking.ask
    monkeypatch.setattr(probe_runs, "ask", lambda *args, **fields: patient(*args, **fields, timeout_s=0.2))
    provider.script({"default": {"hang": True}})
    run = ask_and_run(cast, entry)
    assert run.outcome == "unreadable"
    assert run.summary["failures"]["timeout"] == 8
    assert DriftProbe.objects.get(entry=entry).baseline is None


def test_a_few_failures_do_not_hide_a_drift(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer
) -> None:
    ask_and_run(cast, entry)
    provider.script({"default": {**CHANGED["default"], "status": 500, "status_share_bp": 2_000}})
    run = ask_and_run(cast, entry)
    assert run.summary["failures"]["unavailable"] > 0
    assert run.outcome == "drifted"


def test_a_run_happens_once_however_often_it_is_delivered(entry: ModelVersion, cast: Cast) -> None:
    ticket = request(cast, entry)
    probe = DriftProbe.objects.get(entry=entry)
    first = services.run_probe(probe_id=probe.pk, ticket=ticket)
    assert services.run_probe(probe_id=probe.pk, ticket=ticket) == first
    assert ProbeRun.objects.count() == 1


def test_a_second_wish_joins_the_run_that_is_under_way(
    entry: ModelVersion, cast: Cast, clock: ManualClock
) -> None:
    ticket = request(cast, entry)
    assert request(cast, entry) == ticket
    assert OutboxMessage.objects.filter(topic="probe.run").count() == 1
    clock.advance(minutes=31)
    later = request(cast, entry)
    assert later != ticket
    probe = DriftProbe.objects.get(entry=entry)
    assert services.run_probe(probe_id=probe.pk, ticket=ticket) is None


def test_after_a_crash_the_run_is_taken_over(entry: ModelVersion, cast: Cast, clock: ManualClock) -> None:
    ticket = request(cast, entry)
    probe = DriftProbe.objects.get(entry=entry)
    DriftProbe.objects.filter(pk=probe.pk).update(claimed_until=clock.advance(minutes=25))
    assert services.run_probe(probe_id=probe.pk, ticket=ticket) is not None


def test_hosted_entries_are_asked_when_they_are_due(
    entry: ModelVersion, cast: Cast, clock: ManualClock, settings: Any
) -> None:
    assert services.request_due_probes() == 1
    assert services.request_due_probes() == 0
    message = OutboxMessage.objects.get(topic="probe.run")
    services.run_probe(probe_id=UUID(message.payload["probe_id"]), ticket=UUID(message.payload["ticket"]))
    clock.advance(seconds=settings.PROBE_INTERVAL_S - 1)
    assert services.request_due_probes() == 0
    clock.advance(seconds=1)
    assert services.request_due_probes() == 1


def test_the_timetable_can_be_switched_off_and_leaves_self_hosted_entries_alone(
    cast: Cast, provider: ScriptedServer, clock: ManualClock, settings: Any
) -> None:
    entry_of(cast, provider, kind="self_hosted")
    assert services.request_due_probes() == 0
    entry_of(cast, provider, name="other")
    settings.PROBE_INTERVAL_S = 0
    assert services.request_due_probes() == 0


def test_an_accepted_run_is_what_later_ones_are_compared_with(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer
) -> None:
    ask_and_run(cast, entry)
    provider.script(CHANGED)
    drifted = ask_and_run(cast, entry)
    engineer = cast.actor("engineer")
    services.accept_baseline(
        actor=engineer, project_id=cast.project.pk, run_id=drifted.pk, reason="Looked at; wanted."
    )
    assert ask_and_run(cast, entry).outcome == "steady"
    event = AuditEvent.objects.get(action="model.baseline_accepted")
    assert (event.reason, event.after) == ("Looked at; wanted.", {"run": str(drifted.pk)})


def test_an_unreadable_run_is_no_baseline_and_a_reason_is_needed(
    entry: ModelVersion, cast: Cast, provider: ScriptedServer
) -> None:
    provider.script({"default": {"status": 500}})
    run = ask_and_run(cast, entry)
    fields: dict[str, Any] = {"actor": cast.actor("owner"), "project_id": cast.project.pk, "run_id": run.pk}
    with pytest.raises(NoBaseline):
        services.accept_baseline(**fields, reason="Why not.")
    with pytest.raises(InvalidInput, match="Say why"):
        services.accept_baseline(**fields, reason=" ")


def test_only_those_who_register_models_probe(entry: ModelVersion, cast: Cast, strangers: Cast) -> None:
    def ask(actor: Actor, project: Cast) -> UUID:
        return services.request_probe(actor=actor, project_id=project.project.pk, entry_id=entry.pk)

    for role in ("writer", "operator", "auditor"):
        with pytest.raises(NotAllowed):
            ask(cast.actor(role), cast)
    with pytest.raises(NotFound):
        ask(strangers.actor("owner"), strangers)
    assert not DriftProbe.objects.exists()


def test_runs_cannot_be_changed(entry: ModelVersion, cast: Cast) -> None:
    run = ask_and_run(cast, entry)
    with pytest.raises(DatabaseError), transaction.atomic():
        ProbeRun.objects.filter(pk=run.pk).update(outcome="steady")


def test_secrets_in_answers_are_not_kept(entry: ModelVersion, cast: Cast, provider: ScriptedServer) -> None:
    provider.script({"default": {"answer": "Write to ada@example.com at once."}})
    run = ask_and_run(cast, entry)
    assert "ada@example.com" not in str(run.cases)
