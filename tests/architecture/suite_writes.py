"""The suites' part of the table in `tests.architecture.writes`."""

from __future__ import annotations

from evals.services import suites
from tests.architecture.write_cases import Act, Case, acting
from tests.evals.suites.published import EXACT, freeze, suite_body
from tests.world import World


def _publish(world: World) -> Act:
    freeze(world.cast)
    return lambda: suites.publish_suite(**acting(world, "writer", body=suite_body(EXACT)))


CASES: dict[str, Case] = {"evals.services.suites.publish_suite": _publish}
