from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from incidents import services
from incidents.models import Incident, IncidentEntry
from incidents.states import INCIDENT, IncidentState
from promptstore.core.clock import ManualClock
from promptstore.core.errors import InvalidInput, NotAllowed, NotFound
from promptstore.core.machines import TransitionRefused
from promptstore.core.models import AuditEvent, OutboxMessage
from promptstore.core.permissions import TABLE
from tests.cast import Cast, make_cast
from tests.incidents.incident_cast import feature_of, opened

ACTIONS = {"acknowledge": services.acknowledge, "mitigate": services.mitigate, "resolve": services.resolve}
PATH_TO = {
    IncidentState.OPEN: (),
    IncidentState.ACKNOWLEDGED: ("acknowledge",),
    IncidentState.MITIGATED: ("acknowledge", "mitigate"),
    IncidentState.RESOLVED: ("mitigate", "resolve"),
}


def act(cast: Cast, incident: Incident, action: str, role: str = "operator", **more: Any) -> Incident:
    return ACTIONS[action](
        actor=cast.actor(role), project_id=cast.project.pk, incident_id=incident.pk, **more
    )


def incident_in(cast: Cast, state: IncidentState) -> Incident:
    incident = opened(cast)
    for action in PATH_TO[state]:
        act(cast, incident, action)
    incident.refresh_from_db()
    assert incident.state == state
    return incident


def counted() -> tuple[int, int, int]:
    return AuditEvent.objects.count(), IncidentEntry.objects.count(), OutboxMessage.objects.count()


@pytest.mark.parametrize("state", IncidentState)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_in_every_state_does_what_the_table_says(
    cast: Cast, clock: ManualClock, state: IncidentState, action: str
) -> None:
    incident = incident_in(cast, state)
    now, before = clock.advance(minutes=3), counted()
    row = next((row for row in INCIDENT.outgoing(state) if row.action == action), None)
    if row is None:
        with pytest.raises(TransitionRefused):
            act(cast, incident, action)
        incident.refresh_from_db()
        assert (incident.state, counted()) == (state, before)
        return
    act(cast, incident, action, reason="The filter caught it.")
    incident.refresh_from_db()
    assert incident.state == row.target
    assert getattr(incident, f"{row.target}_at") == now
    entry = IncidentEntry.objects.latest("id")
    assert (entry.kind, entry.actor_name, entry.at) == (row.target, "operator@acme", now)
    assert entry.text.endswith("The filter caught it.")
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.before, event.after) == (
        f"incident.{row.target}",
        {"state": state},
        {"state": row.target},
    )
    assert event.reason == "The filter caught it."


@pytest.mark.parametrize(
    "role", ["writer", "engineer", "annotator", "approver", "operator", "auditor", "owner"]
)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_role_without_the_permission_changes_nothing(cast: Cast, action: str, role: str) -> None:
    incident = incident_in(cast, IncidentState.MITIGATED if action == "resolve" else IncidentState.OPEN)
    before, state = counted(), incident.state
    if role in {holder.value for holder in TABLE[f"incident.{action}"]}:
        act(cast, incident, action, role)
        return
    with pytest.raises(NotAllowed):
        act(cast, incident, action, role)
    incident.refresh_from_db()
    assert (incident.state, counted()) == (state, before)


def test_another_projects_incident_is_not_found(cast: Cast, strangers: Cast) -> None:
    incident = opened(cast)
    with pytest.raises(NotFound):
        services.mitigate(
            actor=strangers.actor("owner"), project_id=strangers.project.pk, incident_id=incident.pk
        )
    with pytest.raises(NotAllowed):
        services.mitigate(actor=strangers.actor("owner"), project_id=cast.project.pk, incident_id=incident.pk)
    incident.refresh_from_db()
    assert incident.state == IncidentState.OPEN


def test_mitigating_owes_the_release_of_the_withdrawn_units(cast: Cast) -> None:
    incident = opened(cast)
    act(cast, incident, "mitigate")
    message = OutboxMessage.objects.get(topic="incident.mitigated")
    assert message.payload == {
        "incident_id": str(incident.pk),
        "environment_id": str(cast.production.pk),
        "rollout_id": str(incident.rollout_id),
    }


def test_the_same_cause_adds_to_the_open_incident(cast: Cast) -> None:
    first = opened(cast, severity="P2", evidence={"n": 1})
    again = opened(cast, severity="P1", evidence={"n": 2}, summary="Still above the limit.")
    lesser = opened(cast, severity="P3")
    assert first.pk == again.pk == lesser.pk
    kept = Incident.objects.get()
    assert (kept.severity, kept.evidence) == ("P1", {"n": 1})
    assert list(kept.entries.order_by("id").values_list("kind", flat=True)) == [
        "opened",
        "repeated",
        "repeated",
    ]
    assert kept.history.count() == 2


def test_a_resolved_incident_does_not_swallow_the_next_one(cast: Cast) -> None:
    first = incident_in(cast, IncidentState.RESOLVED)
    second = opened(cast)
    assert second.pk != first.pk


def test_one_cause_in_two_projects_is_two_incidents(cast: Cast, strangers: Cast) -> None:
    assert opened(cast).pk != opened(strangers).pk


def test_people_do_not_open_incidents_and_severities_are_known(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        opened(cast, actor=cast.actor("owner"))
    with pytest.raises(InvalidInput) as refused:
        opened(cast, severity="P9")
    assert refused.value.field == "severity"
    assert not Incident.objects.exists()


def test_comments_are_kept_as_written_and_bounded(cast: Cast) -> None:
    incident = opened(cast)
    entry = services.comment(
        actor=cast.actor("writer"), project_id=cast.project.pk, incident_id=incident.pk, text=" <b>seen</b> "
    )
    assert (entry.kind, entry.text, entry.actor_name) == ("commented", "<b>seen</b>", "writer@acme")
    before = counted()
    for text in ("   ", "x" * 4_001, "a\x00b"):
        with pytest.raises(InvalidInput) as refused:
            services.comment(
                actor=cast.actor("writer"), project_id=cast.project.pk, incident_id=incident.pk, text=text
            )
        assert refused.value.field == "text"
    with pytest.raises(NotAllowed):
        services.comment(
            actor=cast.actor("annotator"), project_id=cast.project.pk, incident_id=incident.pk, text="hm"
        )
    assert counted() == before


@pytest.mark.django_db(transaction=True)
def test_two_detectors_at_once_open_one_incident_and_two_operators_mitigate_once() -> None:
    cast = make_cast("acme")
    feature_of(cast)

    def together(count: int, work: Any) -> list[Any]:
        start, outcomes = threading.Barrier(count), []

        def run() -> None:
            start.wait()
            try:
                outcomes.append(work())
            except TransitionRefused as refused:
                outcomes.append(refused)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    assert len({incident.pk for incident in together(4, lambda: opened(cast))}) == 1
    incident = Incident.objects.get()
    assert IncidentEntry.objects.count() == 4
    outcomes = together(4, lambda: act(cast, incident, "mitigate"))
    assert sum(isinstance(outcome, TransitionRefused) for outcome in outcomes) == 3
    assert OutboxMessage.objects.filter(topic="incident.mitigated").count() == 1
