"""Prometheus metrics of the control plane; docs/metrics.md lists them all."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# What is read from the database when somebody asks: left out, and not repeated from before, while the database is away.
FROM_DATABASE = CollectorRegistry()

REQUEST_SECONDS = Histogram(
    "promptstore_http_request_seconds", "Time to answer", ["method", "route", "status_class"]
)
OUTBOX_OPEN = Gauge("promptstore_outbox_open", "Outbox messages that are not done", registry=FROM_DATABASE)
OUTBOX_DEAD = Gauge(
    "promptstore_outbox_dead", "Outbox messages that ran out of attempts", registry=FROM_DATABASE
)
AUDIT_PENDING = Gauge(
    "promptstore_audit_pending", "Audit events that wait for the sealer", registry=FROM_DATABASE
)
DATABASE_UP = Gauge("promptstore_metrics_database_up", "Whether the database answered for these metrics")
TASK_FAILURES = Counter("promptstore_task_failures_total", "Background tasks that raised", ["task"])
