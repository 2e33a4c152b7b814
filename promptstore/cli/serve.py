"""`promptctl serve`: a serving node in the foreground."""

from __future__ import annotations

import os
import sys
from typing import Annotated

from cyclopts import Parameter

from promptstore.cli.database import ROOT, adopt_running_instance
from promptstore.cli.exits import Exit


def serve(
    *,
    host: Annotated[str | None, Parameter(help="Address to listen on (SERVE_HOST).")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on (SERVE_PORT).")] = None,
    name: Annotated[
        str | None, Parameter(help="The node's name; each node needs its own (NODE_NAME).")
    ] = None,
) -> Exit:
    """Run a serving node until SIGINT or SIGTERM.

    It answers from the signed snapshot, in memory or on disk, also while the database and the console are away.

    Example: `promptctl serve --port 8002 --name edge-1`

    Exit codes: 0 stopped · 1 it could not start
    """
    adopt_running_instance()
    given = {"SERVE_HOST": host, "SERVE_PORT": None if port is None else str(port), "NODE_NAME": name}
    os.environ.update({variable: value for variable, value in given.items() if value is not None})
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    sys.stdout.flush()
    # Replaces this process: signals reach the node itself.
    os.execv(sys.executable, [sys.executable, "-m", "serving"])  # noqa: S606
