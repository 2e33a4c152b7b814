"""Prometheus metrics of the control plane; docs/metrics.md lists them all."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUEST_SECONDS = Histogram(
    "promptstore_http_request_seconds", "Time to answer", ["method", "route", "status_class"]
)
OUTBOX_OPEN = Gauge("promptstore_outbox_open", "Outbox messages that are not done")
OUTBOX_DEAD = Gauge("promptstore_outbox_dead", "Outbox messages that ran out of attempts")
AUDIT_PENDING = Gauge("promptstore_audit_pending", "Audit events that wait for the sealer")
TASK_FAILURES = Counter("promptstore_task_failures_total", "Background tasks that raised", ["task"])
