"""The functional and the quality gate: the stages of one kind, of the suite that the policy pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from evals.gates import params as parameters
from evals.gates.base import Gate, GateSubject, Judgement
from evals.gates.params import Param
from evals.gates.suite.judging import judge_suite
from evals.running import frozen_cases
from evals.selectors.suites import pinned_suite
from evals.suite_versions import read_suite_ref
from evals.suites import Budget, Pace, StageKind, SuiteSpec, parse_suite
from promptstore.core.errors import InvalidInput

PARAMS: Final = (
    Param("max_seconds", default=240, low=1, high=300),
    Param("max_cases", default=None, low=1, high=5_000),
    Param("max_cost_nanos", default=None, low=1, high=10_000_000_000_000),
    Param("attempts", default=3, low=1, high=5),
    Param("concurrency", default=4, low=1, high=16),
)


def read_params(given: Mapping[str, Any]) -> dict[str, Any]:
    """`suite` as `name@version`, and numbers. Raises `MutableName` for a suite without its version."""
    numbers = parameters.read(
        {name: value for name, value in given.items() if name != "suite"}, PARAMS, texts=("suite",)
    )
    wanted = given.get("suite")
    if not isinstance(wanted, str):
        raise InvalidInput(
            "Name the suite that must be passed, with its version, such as support@1.2.0.",
            field="params.suite",
        )
    return {"suite": str(read_suite_ref(wanted, field="params.suite")), **numbers}


def judge(kind: StageKind, subject: GateSubject, params: Mapping[str, Any]) -> Judgement:
    """Ask the suite's stages of this kind and judge the answers."""
    ref = read_suite_ref(params["suite"], field="params.suite")
    row = pinned_suite(project_id=subject.project_id, ref=ref, field="params.suite")
    spec = _of_kind(parse_suite(row.body), kind, params)
    return judge_suite(
        subject,
        spec,
        frozen=lambda ref: frozen_cases(project_id=subject.project_id, ref=ref, feature=subject.feature),
        named={"version": str(row), "digest": row.digest},
        pace=Pace(concurrency=params["concurrency"], attempts=params["attempts"]),
    )


def _of_kind(spec: SuiteSpec, kind: StageKind, params: Mapping[str, Any]) -> SuiteSpec:
    """The suite with the stages of one kind, within its own budget and the gate's."""
    own = spec.budget
    return replace(
        spec,
        stages=tuple(stage for stage in spec.stages if stage.kind is kind),
        budget=Budget(
            max_cases=_least(own.max_cases, params["max_cases"]),
            max_cost_nanos=_least(own.max_cost_nanos, params["max_cost_nanos"]),
            max_seconds=_least(own.max_seconds, params["max_seconds"]),
        ),
    )


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _check(kind: StageKind, project_id: UUID, params: Mapping[str, Any]) -> None:
    ref = read_suite_ref(params["suite"], field="params.suite")
    row = pinned_suite(project_id=project_id, ref=ref, field="params.suite")
    if not any(stage["kind"] == kind for stage in row.body["stages"]):
        raise InvalidInput(f"{row} has no {kind} stage.", field="params.suite")


FUNCTIONAL: Final = Gate(
    "functional",
    "Functional suite",
    partial(judge, StageKind.FUNCTIONAL),
    read_params=read_params,
    check=partial(_check, StageKind.FUNCTIONAL),
)
QUALITY: Final = Gate(
    "quality",
    "Quality suite",
    partial(judge, StageKind.QUALITY),
    read_params=read_params,
    check=partial(_check, StageKind.QUALITY),
)
