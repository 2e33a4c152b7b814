"""A drifted model becomes an incident where a release uses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evals.models import ProbeRun
from incidents.models import Incident, IncidentEntry
from promptstore.core import outbox
from promptstore.core.clock import ManualClock
from promptstore.core.models import OutboxMessage
from providers.scripted import ScriptedServer
from registry.models import ModelVersion
from releases import controller, handlers
from releases.models import Rollout
from tests.cast import Cast
from tests.evals.probe_cast import ask_and_run, entry_of, request
from tests.traffic import record
from tests.world import ANSWER, World, make_world

CHANGED = {"default": {"answer": "Quite another answer to: $last"}}


@pytest.fixture
def entry(world: World) -> ModelVersion:
    return ModelVersion.objects.get(model__name="small", project=world.cast.project)


def drift(world: World, entry: ModelVersion) -> ProbeRun:
    ask_and_run(world.cast, entry)
    world.provider.script(CHANGED)
    run = ask_and_run(world.cast, entry)
    assert run.outcome == "drifted"
    return run


def handle(run: ProbeRun) -> None:
    handlers.open_drift_incidents({"run_id": str(run.pk)})


def test_each_deployment_that_uses_the_model_gets_an_incident_with_its_releases(
    world: World, entry: ModelVersion
) -> None:
    run = drift(world, entry)
    handle(run)
    found = {incident.environment.slug: incident for incident in Incident.objects.all()}
    assert found.keys() == {"staging", "production"}
    incident = found["production"]
    assert (incident.severity, incident.state) == ("P2", "open")
    assert incident.title == "small@1.0.0 answers differently than before, in production"
    assert incident.feature == world.feature
    assert "Used in assistant in production by stable 1.0.0." in incident.summary
    assert "95% interval" in incident.summary
    stable = world.production.stable_release
    assert stable is not None
    assert incident.release_digest == stable.digest
    assert incident.evidence["releases"] == [
        {"arm": "stable", "release": "1.0.0", "digest": stable.digest, "roles": ["primary"]}
    ]
    told = incident.evidence["drift"]
    assert (told["entry"], told["run"], told["lower"]) == ("small@1.0.0", str(run.pk), run.lower)
    assert told["changed"][0]["before"] == ANSWER
    assert told["changed"][0]["after"].startswith("Quite another answer")


def test_the_outbox_carries_a_wish_to_a_run_and_a_drift_to_its_incidents(
    world: World, entry: ModelVersion
) -> None:
    ask_and_run(world.cast, entry)
    world.provider.script(CHANGED)
    request(world.cast, entry)
    for topic in ("probe.run", "probe.drifted"):
        assert outbox.deliver(OutboxMessage.objects.filter(topic=topic).latest("id").pk)
    assert ProbeRun.objects.latest("id").outcome == "drifted"
    assert Incident.objects.count() == 2


def test_a_live_candidate_is_named_beside_the_stable_release(world: World, entry: ModelVersion) -> None:
    rollout = world.roll_out()
    handle(drift(world, entry))
    incident = Incident.objects.get(environment=world.cast.production)
    assert [row["arm"] for row in incident.evidence["releases"]] == ["stable", "candidate"]
    assert incident.evidence["candidate"]["digest"] == rollout.candidate.digest


def test_the_next_drifted_run_adds_to_the_open_incident(world: World, entry: ModelVersion) -> None:
    handle(drift(world, entry))
    again = ask_and_run(world.cast, entry)
    handle(again)
    incident = Incident.objects.get(environment=world.cast.production)
    kinds = list(
        IncidentEntry.objects.filter(incident=incident).order_by("id").values_list("kind", flat=True)
    )
    assert kinds == ["opened", "repeated"]


def test_a_message_that_is_delivered_twice_tells_once(world: World, entry: ModelVersion) -> None:
    run = drift(world, entry)
    handle(run)
    handle(run)
    assert Incident.objects.count() == 2
    assert IncidentEntry.objects.count() == 2


def test_a_model_that_no_release_uses_opens_nothing(world: World, provider: ScriptedServer) -> None:
    handle(drift(world, entry_of(world.cast, provider, name="unused")))
    assert not Incident.objects.exists()


def cut(rollout: Rollout, clock: ManualClock) -> Incident:
    """Errors take the candidate's traffic away at once."""
    for _ in range(2):
        record(rollout, "candidate", 20, errors=15)
        clock.advance(minutes=1)
    controller.tick()
    rollout.refresh_from_db()
    assert rollout.incident_id is not None
    return Incident.objects.get(pk=rollout.incident_id)


def test_the_incident_of_a_rollback_names_the_open_drift_of_a_model_that_its_candidate_pins(
    world: World, entry: ModelVersion, clock: ManualClock
) -> None:
    rollout = world.roll_out()
    run = drift(world, entry)
    handle(run)
    incident = cut(rollout, clock)
    assert "small@1.0.0, which it pins, answers differently than before" in incident.summary
    assert f"Probe run {run.pk}" in incident.summary
    assert incident.evidence["drift"]["run"] == str(run.pk)
    assert incident.evidence["rules"], "what broke stands beside it"


def test_a_resolved_drift_is_not_named(world: World, entry: ModelVersion, clock: ManualClock) -> None:
    rollout = world.roll_out()
    handle(drift(world, entry))
    Incident.objects.update(state="resolved")
    incident = cut(rollout, clock)
    assert "small@1.0.0" not in incident.summary
    assert "drift" not in incident.evidence


def test_a_drift_that_is_found_after_the_rollback_joins_its_timeline_once(
    world: World, entry: ModelVersion, clock: ManualClock
) -> None:
    incident = cut(world.roll_out(), clock)
    handle(drift(world, entry))
    handle(ask_and_run(world.cast, entry))
    told = IncidentEntry.objects.filter(incident=incident, text__contains="small@1.0.0")
    assert [one.kind for one in told] == ["repeated"]
    incident.refresh_from_db()
    assert (incident.severity, incident.state) == ("P1", "open")
    assert "drift" not in incident.evidence, "what it was opened with stays as it is"


def test_another_projects_deployments_are_left_alone(
    world: World, entry: ModelVersion, strangers: Cast, provider: ScriptedServer
) -> None:
    theirs = make_world(strangers, provider)
    assert theirs.production.stable_release is not None
    assert theirs.production.stable_release.manifest["models"]["primary"]["digest"] == entry.digest
    handle(drift(world, entry))
    assert {incident.project_id for incident in Incident.objects.all()} == {world.cast.project.pk}


def test_the_incident_page_shows_what_changed_and_where_it_is_used(
    world: World, entry: ModelVersion, client: Client
) -> None:
    run = drift(world, entry)
    handle(run)
    client.force_login(world.cast.users["operator"])
    incident: Any = Incident.objects.get(environment=world.cast.production)
    page = client.get(reverse("incidents:incident_detail", args=[incident.pk])).content.decode()
    assert "A model answers differently" in page
    assert f"{reverse('evals:drift', args=['small', '1.0.0'])}?run={run.pk}" in page
    assert "Quite another answer to: " in page
