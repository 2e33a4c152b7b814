"""The commands of the children, all in one place."""

from __future__ import annotations

import sys

from promptstore.local.config import LocalConfig
from promptstore.local.home import Home

# Where celery_process.py makes its mark once it works.
READY_FILE_VARIABLE = "PROMPTSTORE_READY_FILE"

PYTHON = sys.executable
# Workers of one instance need not know each other, and start a second sooner.
_ALONE = ("--without-mingle", "--without-gossip")
CELERY = (PYTHON, "-m", "promptstore.local.celery_process", "-A", "promptstore")

MIGRATE = (PYTHON, "manage.py", "migrate", "--database", "owner", "--noinput", "--verbosity", "0")
BOOTSTRAP = (PYTHON, "manage.py", "bootstrap")
LOAD_DEMO = (PYTHON, "manage.py", "load_demo")
FOLLOW_MODEL = (PYTHON, "manage.py", "follow_model")

SERVING = (PYTHON, "-m", "serving")
WORKER = (*CELERY, "worker", "-n", "worker@%h", "-Q", "default", "-c", "2", *_ALONE)
# Rollouts must step back while evaluations keep the other worker busy: hence a worker of their own.
CONTROLLER = (*CELERY, "worker", "-n", "controller@%h", "-Q", "controller", "--pool", "solo", *_ALONE)


def console(config: LocalConfig) -> tuple[str, ...]:
    """The console and management API on WSGI."""
    return (
        PYTHON, "-m", "granian", "--interface", "wsgi", "promptstore.wsgi:application",
        "--host", config.bind, "--port", str(config.port),
        "--workers", "1", "--blocking-threads", "4", "--no-ws", "--workers-kill-timeout", "5",
    )  # fmt: skip


def scheduler(home: Home) -> tuple[str, ...]:
    """Beat, with its memory of what ran when."""
    return (*CELERY, "beat", "--schedule", str(home.directory("beat") / "schedule"))
