"""Incidents' and notifications' part of the table in `tests.architecture.writes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from incidents.models import Delivery, Incident, NotificationChannel
from incidents.services import channels, deliveries, people, preferences
from incidents.services import incidents as incident_services
from promptstore.core.actors import system
from tests.architecture.write_cases import Act, Case, acting
from tests.world import World


def _open_incident(world: World) -> Incident:
    return incident_services.open_incident(
        actor=system("controller"), project_id=world.cast.project.id, environment_id=world.cast.production.id,
        feature_id=world.feature.id, title="Slow", summary="Too slow.", severity="P2", dedup_key="slow", rollout_id=None,
        release_digest="", evidence={},
    )  # fmt: skip


def _incident(call: Callable[..., Any], *before: Callable[..., Any], **fields: Any) -> Case:
    def case(world: World) -> Act:
        chosen = acting(world, "operator", incident_id=_open_incident(world).id)
        for earlier in before:
            earlier(**chosen)
        return lambda: call(**chosen, **fields)

    return case


def _channel(world: World) -> NotificationChannel:
    return channels.create_channel(
        **acting(world, "owner", name="ops", kind="webhook", url="http://127.0.0.1:9/", allow_private=True)
    )[0]


def _on_channel(call: Callable[..., Any], **fields: Any) -> Case:
    def case(world: World) -> Act:
        channel = _channel(world)
        return lambda: call(**acting(world, "owner", channel_id=channel.id, **fields))

    return case


def _replay(world: World) -> Act:
    delivery = channels.send_test(**acting(world, "owner", channel_id=_channel(world).id))
    Delivery.objects.filter(pk=delivery.pk).update(state="failed")
    return lambda: deliveries.replay(**acting(world, "operator", delivery_id=delivery.id))


def _own_webhook(world: World) -> dict[str, Any]:
    settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = True
    try:
        preferences.save_preferences(**acting(world, "writer", revision=0, webhook_url="http://127.0.0.1:9/"))
    finally:
        settings.PROMPTSTORE_PERSONAL_WEBHOOKS_PRIVATE = False
    return acting(world, "writer")


def _own_test(world: World) -> Act:
    fields = _own_webhook(world)
    return lambda: people.send_own_test(**fields, way="webhook")


def _own_replay(world: World) -> Act:
    fields = _own_webhook(world)
    message = people.send_own_test(**fields, way="webhook")
    Delivery.objects.filter(pk=message.pk).update(state="failed")
    return lambda: people.replay_own(**fields, message_id=message.message_id)


def _own_secret(world: World) -> Act:
    fields = _own_webhook(world)
    return lambda: preferences.rotate_own_secret(**fields, revision=1)


CASES: dict[str, Case] = {
    "incidents.services.people.send_own_test": _own_test,
    "incidents.services.people.replay_own": _own_replay,
    "incidents.services.preferences.save_preferences": lambda w: (
        lambda: preferences.save_preferences(**acting(w, "writer", revision=0, email=[]))
    ),
    "incidents.services.preferences.rotate_own_secret": _own_secret,
    "incidents.services.channels.create_channel": lambda w: lambda: _channel(w),
    "incidents.services.channels.update_channel": _on_channel(
        channels.update_channel, revision=1, min_severity="P1"
    ),
    "incidents.services.channels.rotate_secret": _on_channel(channels.rotate_secret, revision=1),
    "incidents.services.channels.send_test": _on_channel(channels.send_test),
    "incidents.services.deliveries.replay": _replay,
    "incidents.services.incidents.open_incident": lambda w: lambda: _open_incident(w),
    "incidents.services.incidents.acknowledge": _incident(incident_services.acknowledge),
    "incidents.services.incidents.mitigate": _incident(incident_services.mitigate),
    "incidents.services.incidents.resolve": _incident(incident_services.resolve, incident_services.mitigate),
    "incidents.services.incidents.comment": _incident(incident_services.comment, text="Seen."),
}
