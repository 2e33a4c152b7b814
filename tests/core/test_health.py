from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from promptstore.core import audit
from promptstore.core.http import health
from promptstore.core.models import OutboxMessage
from tests.cast import Cast

Use = Callable[..., None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`use(HOST=…)`: the console's database is another one from now on."""
    opened: list[BaseDatabaseWrapper] = []

    def point_at(**settings: Any) -> None:
        other = connections["default"].copy()
        other.settings_dict = {**other.settings_dict, **settings}
        monkeypatch.setattr(health, "connection", other)
        opened.append(other)

    yield point_at
    for connection in opened:
        connection.close()


@pytest.mark.django_db
def test_a_console_with_its_database_and_all_migrations_is_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_without_its_database_the_console_lives_and_is_not_ready(client: Client, use: Use) -> None:
    use(HOST="127.0.0.1", PORT="1")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "OperationalError"}
    assert client.get("/livez").status_code == 200


@pytest.mark.django_db
def test_a_database_without_the_migrations_is_not_ready_and_says_how_many(client: Client, use: Use) -> None:
    # A path on which no table of ours is found is, to the product, an empty database. The owner's connection passes no pooler,
    # which would refuse the option.
    owner = connections["owner"].settings_dict
    use(HOST=owner["HOST"], PORT=owner["PORT"], OPTIONS={"options": "-c search_path=pg_catalog"})
    response = client.get("/readyz")
    assert response.status_code == 503
    assert re.fullmatch(r"[1-9]\d* migrations are missing", response.json()["reason"])


def test_whether_the_process_lives_does_not_depend_on_any_database(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_health_is_never_cached(client: Client, path: str) -> None:
    assert "no-store" in client.get(path).headers["Cache-Control"]


@pytest.mark.django_db
def test_a_reason_tells_no_address_and_no_password(client: Client, use: Use) -> None:
    use(HOST="127.0.0.1", PORT="1", PASSWORD="hunter2")
    assert not re.search(rb"hunter2|127\.0\.0\.1|promptstore_", client.get("/readyz").content)


def value(client: Client, name: str) -> float:
    page = client.get("/metrics").content.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, name
    return float(found.group(1))


def test_metrics_count_what_is_owed_and_what_waits_for_the_sealer(client: Client, cast: Cast) -> None:
    before = value(client, "promptstore_audit_pending")
    audit.record(actor=cast.actor("owner"), action="x.y", target=cast.project, project_id=cast.project.id)
    OutboxMessage.objects.create(topic="test", payload={})
    assert value(client, "promptstore_audit_pending") == before + 1
    assert value(client, "promptstore_outbox_open") == 1
    assert value(client, "promptstore_outbox_dead") == 0
    audit.seal_pending()
    assert value(client, "promptstore_audit_pending") == 0


@pytest.mark.django_db
def test_requests_are_timed_by_route_and_not_by_address(client: Client) -> None:
    series = (
        'promptstore_http_request_seconds_count{method="GET",'
        'route="api/v1/projects/<slug:project>/releases/<str:reference>/",status_class="4"}'
    )
    client.get("/api/v1/projects/acme/releases/1.0.0/")
    before = value(client, series)
    client.get("/api/v1/projects/umbrella/releases/2.0.0/")
    assert value(client, series) == before + 1


@pytest.mark.django_db
def test_metrics_carry_prometheus_text_format(client: Client) -> None:
    response = client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert b"# TYPE promptstore_http_request_seconds histogram" in response.content
