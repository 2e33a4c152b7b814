"""The drift probes' part of the table in `tests.architecture.writes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evals.models import DriftProbe
from evals.services import probe_runs, probes
from registry.models import ModelVersion
from tests.architecture.write_cases import Act
from tests.world import World


def _asked(world: World) -> dict[str, Any]:
    entry = ModelVersion.objects.get(project=world.cast.project)
    return {
        "actor": world.cast.actor("engineer"),
        "project_id": world.cast.project.id,
        "entry_id": entry.id,
    }


def _request(world: World) -> Act:
    fields = _asked(world)
    return lambda: probes.request_probe(**fields)


def _run(world: World) -> Act:
    ticket = probes.request_probe(**_asked(world))
    probe = DriftProbe.objects.get()
    return lambda: probe_runs.run_probe(probe_id=probe.id, ticket=ticket)


def _accept(world: World) -> Act:
    run = _run(world)()
    fields = {"actor": world.cast.actor("engineer"), "project_id": world.cast.project.id, "run_id": run.id}
    return lambda: probes.accept_baseline(**fields, reason="A closer look.")


CASES: dict[str, Callable[[World], Act]] = {
    "evals.services.probes.request_probe": _request,
    "evals.services.probes.accept_baseline": _accept,
    "evals.services.probe_runs.run_probe": _run,
}
