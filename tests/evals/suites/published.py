"""A frozen dataset and a suite over it, as people make them."""

from __future__ import annotations

from typing import Any

from evals.models import SuiteVersion
from evals.services import publish_suite
from registry.datasets import CaseContent, NewCase
from registry.models import DatasetVersion
from registry.services.cases import add_cases
from registry.services.datasets import create_dataset, freeze_dataset
from tests.cast import Cast

QUESTIONS = [f"What does entry {n} do?" for n in range(1, 5)]
EXACT: dict[str, Any] = {"scorer": "exact_match", "params": {"compare": "json"}, "min": 1}


def freeze(
    cast: Cast,
    *,
    name: str = "held-out",
    variables: list[dict[str, Any]] | None = None,
    expected: Any = None,
    feature: str | None = None,
) -> DatasetVersion:
    """One frozen version with a case for each object of variables."""
    writer = cast.actor("writer")
    dataset = create_dataset(actor=writer, project_id=cast.project.id, name=name)
    asked = variables or [{"question": question} for question in QUESTIONS]
    cases = [
        NewCase(CaseContent(variables=one, expected=expected), key=f"case-{number}", feature=feature)
        for number, one in enumerate(asked, start=1)
    ]
    add_cases(actor=writer, dataset_id=dataset.id, cases=cases)
    return freeze_dataset(actor=writer, dataset_id=dataset.id, version="1.0.0")


def suite_body(
    *scorers: dict[str, Any], kind: str = "functional", dataset: str = "held-out@1.0.0", **stage: Any
) -> dict[str, Any]:
    """A suite with one stage that asks."""
    return {
        "name": "support",
        "stages": [{"kind": "static"}, {"kind": kind, "dataset": dataset, "scorers": list(scorers), **stage}],
    }


def publish(cast: Cast, body: dict[str, Any], **fields: Any) -> SuiteVersion:
    """The writer publishes."""
    return publish_suite(actor=cast.actor("writer"), project_id=cast.project.id, body=body, **fields)
