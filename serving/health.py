"""`/livez`, `/readyz`, `/metrics`: for supervisors and Prometheus; without a key."""

from __future__ import annotations

from typing import Any

from serving.http import Request, Response, Send
from serving.metrics import exposition
from serving.node import Node


async def livez(_node: Node, _request: Request, _send: Send) -> Response:
    """The process answers."""
    return Response.json({"status": "alive"})


async def readyz(node: Node, _request: Request, _send: Send) -> Response:
    """200 while there is something to serve, stale or not.

    503 before the first snapshot and while stopping.
    """
    environments = [
        {
            "project": environment.project,
            "environment": environment.name,
            "epoch": environment.root.epoch,
            "generation": environment.generation,
            "stale_since": _iso(node.freshness.since(environment)),
            "refused": environment.refused.reason.value if environment.refused else None,
            "unread": {name: unread.error.reason.value for name, unread in environment.unread.items()},
        }
        for environment in node.holder.current.environments.values()
    ]
    ready = bool(environments) and not node.stopping and not node.dead_tasks
    status = (
        "stopping" if node.stopping else "ready" if ready else "degraded" if environments else "no_snapshot"
    )
    body: dict[str, Any] = {
        "status": status,
        "node": node.settings.name,
        "stale_since": _iso(node.freshness.stale_since),
        "spool_bytes": node.spool.depth_bytes,
        "dead_tasks": node.dead_tasks,
        "environments": environments,
    }
    return Response.json(body, status=200 if ready else 503)


async def metrics(node: Node, _request: Request, _send: Send) -> Response:
    """Prometheus' text format."""
    return Response(200, exposition(node), [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")])


def _iso(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat())
