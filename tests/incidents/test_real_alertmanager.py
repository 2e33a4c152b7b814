"""Against a real Alertmanager, where one is installed: what it was told is read back from its own API."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incidents import services
from incidents.models import Delivery
from incidents.services import deliveries
from incidents.services.channels import send_test
from promptstore.core.clock import SystemClock, use
from tests.cast import Cast
from tests.incidents.channel_cast import channel
from tests.incidents.incident_cast import opened
from tests.incidents.receivers import Receiver

BINARY = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(
        BINARY is None, reason="install Alertmanager (Debian: prometheus-alertmanager) to run this"
    ),
]
# It passes on what it takes at once, so that a test sees how its own receivers would be told.
CONFIG = """
route: {{receiver: hook, group_wait: 1ms, group_interval: 100ms, group_by: [incident]}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}", send_resolved: true}}]}}]
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        text = answer.read().decode()
    return json.loads(text) if text.startswith(("[", "{")) else text


@pytest.fixture
def alertmanager(tmp_path: Path, hook: Receiver) -> Iterator[Receiver]:
    """A running Alertmanager with an empty store of its own, without a cluster."""
    assert BINARY is not None
    port, config = free_port(), tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=hook.url))
    command = [
        BINARY, f"--config.file={config}", f"--storage.path={tmp_path / 'data'}", "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            ready(f"http://127.0.0.1:{port}/-/ready")
            yield Receiver(url=f"http://127.0.0.1:{port}/api/v2/alerts")
        finally:
            process.terminate()


def ready(url: str) -> None:
    for _ in range(300):
        try:
            ask(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Alertmanager did not become ready")


def alerts(alertmanager: Receiver) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(alertmanager.url)
    return found


def passed_on(hook: Receiver, status: str) -> dict[str, Any]:
    """The first notification of that status that Alertmanager has sent on."""
    for _ in range(300):
        for one in hook.received:
            if one.json["status"] == status:
                found: dict[str, Any] = one.json["alerts"][0]
                return found
        time.sleep(0.1)
    raise AssertionError(f"Alertmanager told nobody that it is {status}")


@pytest.mark.django_db
def test_an_incident_fires_and_is_resolved_in_alertmanager(
    cast: Cast, alertmanager: Receiver, hook: Receiver
) -> None:
    with use(SystemClock()):  # Alertmanager compares an alert's end with its own clock
        row = channel(cast, alertmanager, "alertmanager")
        incident = opened(cast)
        assert deliveries.send_due() == 1
        (firing,) = alerts(alertmanager)
        assert firing["status"]["state"] == "active"
        assert firing["labels"]["incident"] == str(incident.pk)
        assert firing["labels"]["project"] == "acme"
        assert firing["annotations"]["summary"] == incident.title
        assert firing["endsAt"].startswith("9999")
        assert passed_on(hook, "firing")["fingerprint"] == firing["fingerprint"]

        for action in ("acknowledge", "mitigate"):
            getattr(services, action)(
                actor=cast.actor("operator"), project_id=cast.project.pk, incident_id=incident.pk
            )
            deliveries.send_due()
        (still,) = alerts(alertmanager)
        assert (still["fingerprint"], still["annotations"]["state"]) == (firing["fingerprint"], "mitigated")

        services.resolve(actor=cast.actor("operator"), project_id=cast.project.pk, incident_id=incident.pk)
        deliveries.send_due()
        assert alerts(alertmanager) == []  # it lists what fires; this one has ended
        resolved = passed_on(hook, "resolved")
        assert (resolved["fingerprint"], resolved["status"]) == (firing["fingerprint"], "resolved")
        assert set(Delivery.objects.filter(channel=row).values_list("state", flat=True)) == {"delivered"}
        metrics = ask(alertmanager.url.replace("/api/v2/alerts", "/metrics"))
    counted = {
        line.partition(" ")[0]: float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith("alertmanager_alerts_")
    }
    assert counted['alertmanager_alerts_received_total{status="firing",version="v2"}'] == 3
    assert counted['alertmanager_alerts_received_total{status="resolved",version="v2"}'] == 1
    assert counted['alertmanager_alerts_invalid_total{version="v2"}'] == 0


@pytest.mark.django_db
def test_a_test_message_ends_where_it_begins(cast: Cast, alertmanager: Receiver) -> None:
    with use(SystemClock()):
        row = channel(cast, alertmanager, "alertmanager")
        send_test(actor=cast.actor("owner"), project_id=cast.project.pk, channel_id=row.pk)
        deliveries.send_due()
        assert Delivery.objects.get().state == "delivered"
        assert alerts(alertmanager) == []
