"""The datasets' part of the table in `tests.architecture.writes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry.datasets import CaseContent, CaseSource, NewCase, SourceKind
from registry.models import Dataset
from registry.services import case_changes, cases, danger, datasets, imports
from tests.architecture.write_cases import Act, Case
from tests.world import World

CONTENT = CaseContent(variables={"request": "Less noise in the logs."}, expected="warning")
OTHER = CaseContent(variables={"request": "More detail in the logs."}, expected="debug")


def _dataset(world: World) -> Dataset:
    dataset = datasets.create_dataset(
        actor=world.cast.actor("writer"), project_id=world.cast.project.id, name="held-out"
    )
    cases.add_cases(
        actor=world.cast.actor("writer"), dataset_id=dataset.id, cases=[NewCase(CONTENT, key="quiet")]
    )
    return dataset


def _on(call: Callable[..., Any], role: str = "engineer", **fields: Any) -> Case:
    def case(world: World) -> Act:
        dataset = _dataset(world)
        return lambda: call(actor=world.cast.actor(role), dataset_id=dataset.id, **fields)

    return case


def _restore(world: World) -> Act:
    given: dict[str, Any] = {
        "actor": world.cast.actor("writer"),
        "dataset_id": _dataset(world).id,
        "key": "quiet",
    }
    case_changes.remove_case(**given)
    return lambda: case_changes.restore_case(**given)


def _danger(world: World) -> dict[str, Any]:
    return {
        "actor": world.cast.actor("annotator"),
        "project_id": world.cast.project.id,
        "feature": world.feature.slug,
        "content": CONTENT,
        "source": CaseSource(SourceKind.REVIEW, "0199"),
    }


CASES: dict[str, Case] = {
    "registry.services.datasets.create_dataset": lambda w: (
        lambda: datasets.create_dataset(
            actor=w.cast.actor("writer"), project_id=w.cast.project.id, name="held-out"
        )
    ),
    "registry.services.datasets.freeze_dataset": _on(datasets.freeze_dataset, "writer"),
    "registry.services.datasets.freeze_danger": lambda w: (
        lambda: datasets.freeze_danger(project_id=w.cast.project.id)
    ),
    "registry.services.cases.add_cases": _on(cases.add_cases, cases=[NewCase(OTHER), NewCase(OTHER)]),
    "registry.services.cases.add_sourced_case": _on(
        cases.add_sourced_case, feature=None, content=OTHER, source=CaseSource(SourceKind.INFERENCE, "0199")
    ),
    "registry.services.imports.import_cases": _on(
        imports.import_cases, text='{"variables": {"request": "x"}}', file_format="jsonl"
    ),
    "registry.services.danger.add_danger_case": lambda w: lambda: danger.add_danger_case(**_danger(w)),
    "registry.services.case_changes.change_case": _on(
        case_changes.change_case, key="quiet", revision=1, content=OTHER
    ),
    "registry.services.case_changes.remove_case": _on(case_changes.remove_case, key="quiet"),
    "registry.services.case_changes.restore_case": _restore,
    "registry.services.case_changes.erase_case": _on(
        case_changes.erase_case, key="quiet", reason="A person asked for it."
    ),
}
