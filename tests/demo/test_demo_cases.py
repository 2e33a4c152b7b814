from __future__ import annotations

from promptstore.demo import content
from promptstore.demo.cases import DATASET, load_cases
from registry.models import Dataset, DatasetCase
from registry.selectors.datasets import cases_of, verify_version
from registry.services import features
from tests.cast import Cast


def test_the_demos_cases_are_loaded_once_and_answer_in_the_demos_schema(cast: Cast) -> None:
    features.create_feature(
        actor=cast.actor("owner"), project_id=cast.project.id, slug=content.FEATURE, name="Assistant"
    )
    for _again in range(2):
        load_cases(cast.project, writer=cast.actor("writer"), engineer=cast.actor("engineer"))

    version = Dataset.objects.get(name=DATASET).versions.get()
    assert (version.version, version.case_count, verify_version(version).holds) == ("1.0.0", 12, True)
    assert DatasetCase.objects.filter(dataset__kind="danger").count() == 2
    keys = set(content.OUTPUT_SCHEMA["properties"]["key"]["enum"])
    assert {case.content.expected["key"] for case in cases_of(version) if case.content} == keys
