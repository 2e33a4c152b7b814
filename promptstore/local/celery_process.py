"""Celery as a child: `python -m promptstore.local.celery_process worker|beat …`.

It is the `celery` command, and makes a mark when the worker takes tasks or the scheduler ticks, so that the
supervisor need not guess.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from celery.bin.celery import main
from celery.signals import beat_init, worker_ready

from promptstore.local.commands import READY_FILE_VARIABLE


def mark_ready(**_: Any) -> None:
    """Create the file that the supervisor waits for."""
    if path := os.environ.get(READY_FILE_VARIABLE):
        Path(path).touch()


if __name__ == "__main__":
    worker_ready.connect(mark_ready, weak=False)
    beat_init.connect(mark_ready, weak=False)
    sys.argv[0] = "celery"
    sys.exit(main())
