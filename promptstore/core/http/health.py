"""`/livez`, `/readyz` and `/metrics` of the console process."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db import Error as AnyDatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from promptstore.core.metrics import AUDIT_PENDING, DATABASE_UP, FROM_DATABASE, OUTBOX_DEAD, OUTBOX_OPEN
from promptstore.core.models import AuditPending, OutboxMessage


@never_cache
def livez(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """The database answers and carries every migration; 503 with the reason otherwise."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return JsonResponse({"status": "unavailable", "reason": type(error).__name__}, status=503)
    if waiting:
        return JsonResponse(
            {"status": "unavailable", "reason": f"{len(waiting)} migrations are missing"}, status=503
        )
    return JsonResponse({"status": "ok"})


@never_cache
def metrics(_request: HttpRequest) -> HttpResponse:
    """Prometheus text format. Answers without the database too: an outage is when its own numbers are wanted."""
    stored = _stored_metrics()
    DATABASE_UP.set(stored is not None)
    return HttpResponse(generate_latest() + (stored or b""), content_type=CONTENT_TYPE_LATEST)


def _stored_metrics() -> bytes | None:
    try:
        OUTBOX_OPEN.set(OutboxMessage.objects.filter(done_at__isnull=True, dead_at__isnull=True).count())
        OUTBOX_DEAD.set(OutboxMessage.objects.filter(dead_at__isnull=False).count())
        AUDIT_PENDING.set(AuditPending.objects.count())
    except AnyDatabaseError:
        return None
    return generate_latest(FROM_DATABASE)
