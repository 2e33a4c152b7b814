"""The Celery application and its timetable. Every entry is idempotent, so two schedulers change nothing."""

from __future__ import annotations

import os

from celery import Celery

from promptstore.core import clock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptstore.settings")

app = Celery("promptstore")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "relay the outbox": {"task": "core.relay", "schedule": 2.0, "options": {"expires": 4}},
    "seal the audit log": {"task": "core.seal_audit", "schedule": 3.0, "options": {"expires": 6}},
    "tick the rollout controller": {"task": "releases.tick", "schedule": 3.0, "options": {"expires": 6}},
    "seal credentials to new nodes": {
        "task": "serving.seal_credentials",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "send due notifications": {"task": "incidents.send_due", "schedule": 5.0, "options": {"expires": 10}},
    "expire promotions": {"task": "releases.expire", "schedule": 60.0, "options": {"expires": 60}},
    "ask for due drift probes": {
        "task": "evals.request_due_probes",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "sample answers for review": {
        "task": "reviews.enqueue_samples",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "return lapsed review leases": {
        "task": "reviews.expire_leases",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "tidy up": {"task": "core.tidy", "schedule": 3600.0, "options": {"expires": 600}},
}

# Where the clock is stepped hours pass in seconds: what is due is looked for as often as the controller ticks.
if clock.stepped_by() is not None:
    for entry in app.conf.beat_schedule.values():
        entry["schedule"] = min(entry["schedule"], 2.0)
