"""Two people at one dataset at the same moment, on real connections."""

from __future__ import annotations

import pytest

from promptstore.core.errors import Conflict
from promptstore.core.models import AuditEvent
from registry.datasets import CaseContent, CaseSource, NewCase, SourceKind
from registry.models import Dataset, DatasetCase, DatasetVersion
from registry.selectors.datasets import verify_version
from registry.services import case_changes, cases, danger, datasets
from tests.cast import Cast, make_cast
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = CaseContent(variables={"request": "Less noise."})


@pytest.fixture
def people(transactional_db: None) -> Cast:
    return make_cast("acme")


@pytest.fixture
def dataset(people: Cast) -> Dataset:
    writer = people.actor("writer")
    made = datasets.create_dataset(actor=writer, project_id=people.project.id, name="held-out")
    cases.add_cases(actor=writer, dataset_id=made.id, cases=[NewCase(CONTENT, key="quiet")])
    return made


def test_of_two_who_freeze_one_wins_and_the_other_is_told(people: Cast, dataset: Dataset) -> None:
    writer, engineer = people.actor("writer"), people.actor("engineer")
    results = at_once(
        lambda: datasets.freeze_dataset(actor=writer, dataset_id=dataset.id),
        lambda: datasets.freeze_dataset(actor=engineer, dataset_id=dataset.id),
    )
    refused = [result for result in results if isinstance(result, Conflict)]
    assert [error.code for error in refused] == ["unchanged"]
    assert verify_version(DatasetVersion.objects.get()).holds


def test_the_danger_set_is_made_and_frozen_once(people: Cast) -> None:
    results = at_once(*[lambda: datasets.freeze_danger(project_id=people.project.id)] * 3)
    assert len({version.pk for version in results}) == 1
    assert Dataset.objects.filter(kind="danger").count() == 1


def test_one_failure_is_added_once(people: Cast) -> None:
    actor = people.actor("annotator")
    source = CaseSource(SourceKind.INFERENCE, "0199")
    results = at_once(
        *[
            lambda: danger.add_danger_case(
                actor=actor, project_id=people.project.id, feature=None, content=CONTENT, source=source
            )
        ]
        * 3
    )
    assert len({case.pk for case in results}) == 1
    assert DatasetCase.objects.count() == 1
    assert AuditEvent.objects.filter(action="danger_case.added").count() == 1


def test_a_change_and_an_erasure_leave_nothing_to_read(people: Cast, dataset: Dataset) -> None:
    engineer, writer = people.actor("engineer"), people.actor("writer")
    at_once(
        lambda: case_changes.erase_case(
            actor=engineer, dataset_id=dataset.id, key="quiet", reason="A person asked for it."
        ),
        lambda: case_changes.change_case(
            actor=writer, dataset_id=dataset.id, key="quiet", revision=1, content=CaseContent(variables={})
        ),
    )
    assert not DatasetCase.objects.filter(content__isnull=False).exists()
