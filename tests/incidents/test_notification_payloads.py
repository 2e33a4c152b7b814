"""Bodies against the receivers' published rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from incidents.notifications.kinds import KINDS
from incidents.notifications.pagerduty import MAX_EVENT_BYTES
from incidents.notifications.snapshot import Event, IncidentSnapshot

# Events API v2: what `/v2/enqueue` requires.
PAGERDUTY: dict[str, Any] = {
    "type": "object",
    "required": ["routing_key", "event_action", "dedup_key"],
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
        "client": {"type": "string"},
        "client_url": {"type": "string", "pattern": "^https?://"},
        "payload": {
            "type": "object",
            "required": ["summary", "source", "severity"],
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                "source": {"type": "string", "minLength": 1},
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                "timestamp": {"type": "string", "format": "date-time"},
                "component": {"type": "string"},
                "group": {"type": "string"},
                "class": {"type": "string"},
                "custom_details": {"type": "object"},
            },
            "additionalProperties": False,
        },
        "links": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["href"],
                "properties": {"href": {"type": "string"}, "text": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
    "if": {"properties": {"event_action": {"const": "trigger"}}},
    "then": {"required": ["payload"]},
}
WEBHOOK: dict[str, Any] = {
    "type": "object",
    "required": ["type", "timestamp", "data"],
    "properties": {
        "type": {"type": "string", "pattern": r"^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$"},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": {"type": "object", "required": ["incident"]},
    },
    "additionalProperties": False,
}
# `postableAlerts` of Alertmanager's API v2.
ALERTMANAGER: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["labels"],
        "properties": {
            "labels": {
                "type": "object",
                "required": ["alertname"],
                "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
                "additionalProperties": {"type": "string"},
            },
            "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
            "startsAt": {"type": "string", "format": "date-time"},
            "endsAt": {"type": "string", "format": "date-time"},
            "generatorURL": {"type": "string", "format": "uri"},
        },
        "additionalProperties": False,
    },
}
_PLAIN = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {
        "type": {"enum": ["plain_text", "mrkdwn"]},
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
    },
    "additionalProperties": False,
}
SLACK: dict[str, Any] = {
    "type": "object",
    "required": ["text", "blocks"],
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
        "blocks": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "oneOf": [
                    {
                        "required": ["type", "text"],
                        "properties": {
                            "type": {"const": "header"},
                            "text": {
                                **_PLAIN,
                                "properties": {"type": {"const": "plain_text"}, "text": {"maxLength": 150}},
                            },
                        },
                    },
                    {
                        "required": ["type", "text"],
                        "properties": {
                            "type": {"const": "section"},
                            "text": {**_PLAIN, "properties": {"type": {}, "text": {"maxLength": 3000}}},
                        },
                    },
                    {
                        "required": ["type", "elements"],
                        "properties": {
                            "type": {"const": "context"},
                            "elements": {"type": "array", "minItems": 1, "maxItems": 10, "items": _PLAIN},
                        },
                    },
                ]
            },
        },
    },
    "additionalProperties": False,
}
SNAPSHOT = IncidentSnapshot(
    event=Event.OPENED,
    at="2026-03-02T09:00:00+00:00",
    actor="controller",
    said="Policy hits are at 4 %.",
    id="01a20c2a-7a67-783f-8957-c9af6aa2de6d",
    url="https://console.example/incidents/1/",
    project="acme",
    environment="production",
    feature="config-assistant",
    title="config-assistant 1.1.0 is rolled back in production",
    summary="Policy hits are at 4 %, above the limit of 0.5 %.",
    severity="P1",
    state="open",
    dedup_key="rollout-1",
    rollout_id="01a20c2a-7a67-783f-8957-c9af6aa2de6e",
    release_digest="sha256:" + "b" * 64,
    opened_at="2026-03-02T09:00:00+00:00",
    acknowledged_at="",
    mitigated_at="",
    resolved_at="",
    broken_rules=("policy_filter_rate > 0.5% for 10m",),
)


def pagerduty(snapshot: IncidentSnapshot) -> Any:
    kind = KINDS["pagerduty"]
    return {**kind.build(snapshot), "routing_key": "0" * 32}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("severity", ["P1", "P2", "P3", "P4"])
def test_pagerduty_gets_what_its_schema_requires(event: Event, severity: str) -> None:
    snapshot = replace(SNAPSHOT, event=event, severity=severity, title="x" * 2_000, dedup_key="d" * 400)
    Draft202012Validator(PAGERDUTY).validate(pagerduty(snapshot))


@pytest.mark.parametrize("character", ["x", "é", "😀", "\x01", '"'])
def test_no_pagerduty_event_is_larger_than_512_kb(character: str) -> None:
    long = replace(
        SNAPSHOT,
        summary=character * 300_000,
        broken_rules=(character * 30_000,) * 200,
        title=character * 3_000,
    )
    _, body = KINDS["pagerduty"].encode(
        KINDS["pagerduty"].build(long), secrets=["0" * 32], message_id="msg_1", timestamp_s=1
    )
    assert len(body) < MAX_EVENT_BYTES


def test_pagerduty_follows_the_incidents_states_under_one_key() -> None:
    bodies = [pagerduty(replace(SNAPSHOT, event=event)) for event in Event]
    assert [body["event_action"] for body in bodies] == [
        "trigger",
        "trigger",
        "acknowledge",
        "acknowledge",
        "resolve",
        "trigger",
    ]
    assert {body["dedup_key"] for body in bodies} == {"acme/rollout-1"}
    assert bodies[0]["payload"]["severity"] == "critical"


@pytest.mark.parametrize("event", Event)
def test_a_webhook_has_the_three_members_of_the_specification(event: Event) -> None:
    body = KINDS["webhook"].build(replace(SNAPSHOT, event=event))
    Draft202012Validator(WEBHOOK).validate(body)
    assert (body["type"], body["data"]["incident"]["url"]) == (event, SNAPSHOT.url)


@pytest.mark.parametrize("event", Event)
def test_alertmanager_gets_what_its_schema_requires_under_the_same_labels(event: Event) -> None:
    kind = KINDS["alertmanager"]
    bodies = [kind.build(replace(SNAPSHOT, event=event, severity=severity)) for severity in ("P3", "P1")]
    for body in bodies:
        Draft202012Validator(ALERTMANAGER).validate(body)
    assert bodies[0][0]["labels"] == bodies[1][0]["labels"]


def test_an_alert_fires_until_its_incident_is_resolved() -> None:
    kind = KINDS["alertmanager"]
    opened = kind.build(SNAPSHOT)[0]
    resolved = kind.build(
        replace(SNAPSHOT, event=Event.RESOLVED, resolved_at="2026-03-02T10:00:00+00:00", state="resolved")
    )[0]
    assert opened["endsAt"] > "9999"
    assert resolved["endsAt"] == "2026-03-02T10:00:00+00:00"
    assert resolved["labels"] == opened["labels"]
    headers, _ = kind.encode([opened], secrets=["t"], message_id="m", timestamp_s=1)
    assert headers == {"Authorization": "Bearer t"}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("title", ["x" * 5_000, "<!channel> & <https://evil.example|click>"])
def test_slack_gets_blocks_in_which_hostile_words_stay_words(event: Event, title: str) -> None:
    body = KINDS["slack"].build(replace(SNAPSHOT, event=event, title=title, said=title, actor=title))
    Draft202012Validator(SLACK).validate(body)
    marked = [
        block["text"]["text"] for block in body["blocks"] if block.get("text", {}).get("type") == "mrkdwn"
    ]
    assert marked == [f"<{SNAPSHOT.url}|Open it in Promptstore>"]
    assert "<" not in body["text"]
