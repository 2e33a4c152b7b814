"""Reading a suite, strictly: what is unknown or cannot work is refused by name, before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evals.scorers import Scorer, scorer_by_name
from evals.suites.shape import SUITE
from evals.suites.spec import (
    LEAST_CASES,
    Budget,
    DatasetRef,
    Limits,
    Reducer,
    ScorerSpec,
    StageKind,
    StageSpec,
    SuiteSpec,
)
from promptstore.core.errors import InvalidInput
from registry.names import check_name
from registry.shapes import check_shape
from registry.versioning import read_version


def parse_suite(raw: object, *, field: str = "suite") -> SuiteSpec:
    """A suite from its JSON. Raises `InvalidInput` naming the member at fault, such as `suite.stages[1].scorers[0].min`."""
    check_shape(raw, SUITE, field=field)
    assert isinstance(raw, Mapping)
    stages = tuple(_stage(item, f"{field}.stages[{index}]") for index, item in enumerate(raw["stages"]))
    _check_unique((stage.name for stage in stages), "name", f"{field}.stages")
    order = [list(StageKind).index(stage.kind) for stage in stages]
    for index in range(1, len(order)):
        if order[index] < order[index - 1]:
            raise InvalidInput(
                "Stages run from static over functional to quality; move this one up.",
                field=f"{field}.stages[{index}].kind",
            )
    return SuiteSpec(
        name=check_name(raw["name"], field=f"{field}.name"),
        stages=stages,
        budget=Budget(**raw.get("budget", {})),
    )


def _stage(raw: Mapping[str, Any], field: str) -> StageSpec:
    kind = StageKind(raw["kind"])
    name = check_name(raw.get("name", kind.value), field=f"{field}.name")
    if kind is StageKind.STATIC:
        for member in raw:
            if member not in {"kind", "name"}:
                raise InvalidInput(
                    "A static stage asks no model, so it has a name only.", field=f"{field}.{member}"
                )
        return StageSpec(name, kind)
    for member in ("dataset", "scorers"):
        if not raw.get(member):
            raise InvalidInput("This is missing.", field=f"{field}.{member}")
    scorers = tuple(_scorer(item, f"{field}.scorers[{index}]") for index, item in enumerate(raw["scorers"]))
    _check_unique((scorer.id for scorer in scorers), "id", f"{field}.scorers")
    if not any(scorer.limits.any for scorer in scorers):
        raise InvalidInput(
            "Give at least one scorer a limit (min, max or max_drop): without one this stage could never pass.",
            field=f"{field}.scorers",
        )
    sample = raw.get("sample", {})
    return StageSpec(
        name=name,
        kind=kind,
        dataset=_dataset(raw["dataset"], f"{field}.dataset"),
        trials=raw.get("trials", 1),
        max_cases=sample.get("max_cases"),
        seed=sample.get("seed", 0),
        scorers=scorers,
        max_error_share=float(raw.get("max_error_share", 0.05)),
    )


def _scorer(raw: Mapping[str, Any], field: str) -> ScorerSpec:
    scorer = scorer_by_name(raw["scorer"], field=f"{field}.scorer")
    spec = ScorerSpec(
        id=check_name(raw.get("id", scorer.name), field=f"{field}.id"),
        scorer=scorer,
        params=scorer.read_params(raw.get("params", {}), field=f"{field}.params"),
        reducer=Reducer(raw.get("reducer", Reducer.MEAN)),
        weight=float(raw.get("weight", 1.0)),
        limits=Limits(
            least=raw.get("min"),
            most=raw.get("max"),
            max_drop=raw.get("max_drop"),
            least_cases=raw.get("least_cases", LEAST_CASES),
        ),
    )
    _check_reducer(spec, scorer, field)
    _check_limits(spec, raw, field)
    return spec


def _check_reducer(spec: ScorerSpec, scorer: Scorer, field: str) -> None:
    if spec.counts_passes and not scorer.decides(spec.params):
        limit = " or ".join(f"params.{name}" for name in scorer.limits)
        raise InvalidInput(
            f"{spec.reducer} counts passes, and nothing says when {scorer.name} passes: set {limit}.",
            field=f"{field}.reducer",
        )


def _check_limits(spec: ScorerSpec, raw: Mapping[str, Any], field: str) -> None:
    wrong, right = ("max", "min") if spec.higher_is_better else ("min", "max")
    if wrong in raw:
        better = "More" if spec.higher_is_better else "Less"
        raise InvalidInput(f"{better} is better here: use {right}.", field=f"{field}.{wrong}")
    if spec.high is None:
        if "weight" in raw:
            raise InvalidInput(
                "A value without an upper end has no part in the weighted score; leave the weight out.",
                field=f"{field}.weight",
            )
        return
    for member in ("min", "max", "max_drop"):
        if raw.get(member, 0) > spec.high - spec.low:
            raise InvalidInput(
                f"Values go from {spec.low:g} to {spec.high:g}; use a limit among them.",
                field=f"{field}.{member}",
            )


def _dataset(text: str, field: str) -> DatasetRef:
    name, at, version = text.partition("@")
    if not at:
        raise InvalidInput("Name the version too, such as support-faq@1.2.0.", field=field)
    return DatasetRef(check_name(name, field=field), str(read_version(version, field=field)))


def _check_unique(names: Iterable[str], member: str, field: str) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise InvalidInput(
                f"“{name}” is there already; give each its own {member}.", field=f"{field}[{index}].{member}"
            )
        seen.add(name)
