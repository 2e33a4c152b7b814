from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from promptstore.core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, StaleWrite
from promptstore.core.models import AuditEvent
from registry.dataset_files import FileFormat
from registry.datasets import CaseContent, CaseSource, NewCase, SourceKind
from registry.errors import BumpTooLow, CaseErased, CaseExists, DangerCaseStays, EmptyDataset, Unchanged
from registry.models import Dataset, DatasetCase, DatasetVersion, DatasetVersionCase
from registry.selectors.datasets import cases_of, listed_cases, verify_version
from registry.services import case_changes, cases, danger, datasets, features, imports
from tests.cast import Cast

QUIET = CaseContent(variables={"request": "Less noise."}, expected={"key": "log_level", "value": "warning"})
LOUD = CaseContent(variables={"request": "More detail."}, expected={"key": "log_level", "value": "debug"})
FROM_INFERENCE = CaseSource(SourceKind.INFERENCE, "01990000-0000-7000-8000-000000000001")


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    """Two cases, `loud` and `quiet`."""
    made = datasets.create_dataset(actor=cast.actor("writer"), project_id=cast.project.id, name="held-out")
    add(cast, made, NewCase(QUIET, key="quiet"), NewCase(LOUD, key="loud"))
    return made


def add(cast: Cast, dataset: Dataset, *new: NewCase) -> cases.Added:
    return cases.add_cases(actor=cast.actor("writer"), dataset_id=dataset.id, cases=new)


def freeze(cast: Cast, dataset: Dataset, **fields: Any) -> DatasetVersion:
    return datasets.freeze_dataset(actor=cast.actor("writer"), dataset_id=dataset.id, **fields)


def on(cast: Cast, dataset: Dataset, key: str, role: str = "engineer") -> dict[str, Any]:
    return {"actor": cast.actor(role), "dataset_id": dataset.id, "key": key}


def add_danger(cast: Cast, content: CaseContent = QUIET, **fields: Any) -> DatasetCase:
    given = {"actor": cast.actor("annotator"), "feature": None, "source": FROM_INFERENCE, **fields}
    return danger.add_danger_case(project_id=cast.project.id, content=content, **given)


def events(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def test_cases_can_be_added_twice_without_effect(cast: Cast, dataset: Dataset) -> None:
    again = add(cast, dataset, NewCase(QUIET, key="quiet"), NewCase(LOUD, key="louder"))
    assert again == cases.Added(("louder",), ("quiet",))
    assert add(cast, dataset, NewCase(QUIET, key="quiet")) == cases.Added((), ("quiet",))
    assert events("dataset.cases_added") == 2


def test_a_key_that_says_something_else_adds_nothing_at_all(cast: Cast, dataset: Dataset) -> None:
    with pytest.raises(CaseExists) as refused:
        add(cast, dataset, NewCase(LOUD, key="new-one"), NewCase(LOUD, key="quiet"))
    assert refused.value.field == "cases[1].key"
    assert DatasetCase.objects.count() == 2


def test_one_and_true_are_not_the_same_answer(cast: Cast, dataset: Dataset) -> None:
    add(cast, dataset, NewCase(CaseContent(variables={}, expected=1), key="one"))
    with pytest.raises(CaseExists):
        add(cast, dataset, NewCase(CaseContent(variables={}, expected=True), key="one"))


def test_a_feature_must_be_of_the_project(cast: Cast, dataset: Dataset) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(cast, dataset, NewCase(LOUD, feature="nowhere"))
    assert (refused.value.code, refused.value.field) == ("invalid", "cases[0].feature")


def test_a_version_freezes_cases_by_key_and_verifies(cast: Cast, dataset: Dataset) -> None:
    version = freeze(cast, dataset)
    assert (version.version, version.case_count) == ("1.0.0", 2)
    assert [(case.position, case.key, case.content) for case in cases_of(version)] == [
        (1, "loud", LOUD),
        (2, "quiet", QUIET),
    ]
    assert verify_version(version).holds
    with pytest.raises(Unchanged):
        freeze(cast, dataset)


def test_numbers_follow_from_what_happened_to_the_cases(cast: Cast, dataset: Dataset) -> None:
    freeze(cast, dataset)
    add(cast, dataset, NewCase(QUIET, key="another"))
    assert freeze(cast, dataset).version == "1.1.0"
    case_changes.change_case(**on(cast, dataset, "quiet"), revision=1, content=LOUD)
    with pytest.raises(BumpTooLow):
        freeze(cast, dataset, version="1.2.0")
    assert freeze(cast, dataset).version == "2.0.0"
    case_changes.remove_case(**on(cast, dataset, "quiet"))
    assert freeze(cast, dataset).version == "3.0.0"


def test_frozen_versions_keep_what_was_changed_since(cast: Cast, dataset: Dataset) -> None:
    first = freeze(cast, dataset)
    changed = case_changes.change_case(**on(cast, dataset, "quiet"), revision=1, content=LOUD)
    assert changed.revision == 2
    assert cases_of(first)[1].content == QUIET
    assert cases_of(freeze(cast, dataset))[1].content == LOUD
    assert verify_version(first).holds
    with pytest.raises(StaleWrite):
        case_changes.change_case(**on(cast, dataset, "quiet"), revision=1, content=QUIET)


def test_nothing_is_not_frozen(cast: Cast) -> None:
    empty = datasets.create_dataset(actor=cast.actor("writer"), project_id=cast.project.id, name="empty")
    with pytest.raises(EmptyDataset):
        freeze(cast, empty)


def test_a_removed_case_comes_back(cast: Cast, dataset: Dataset) -> None:
    case_changes.remove_case(**on(cast, dataset, "quiet", "writer"))
    assert [case.key for case in listed_cases(dataset=dataset)] == ["loud"]
    with pytest.raises(Conflict):
        case_changes.change_case(**on(cast, dataset, "quiet"), revision=1, content=LOUD)
    case_changes.restore_case(**on(cast, dataset, "quiet", "writer"))
    assert {case.key for case in listed_cases(dataset=dataset)} == {"loud", "quiet"}
    with pytest.raises(Conflict):
        case_changes.restore_case(**on(cast, dataset, "quiet"))


def test_a_removed_key_can_be_written_anew(cast: Cast, dataset: Dataset) -> None:
    case_changes.remove_case(**on(cast, dataset, "quiet"))
    add(cast, dataset, NewCase(LOUD, key="quiet"))
    assert listed_cases(dataset=dataset, search="quiet").get().revision == 2


def test_erasing_destroys_every_revision_and_versions_still_verify(cast: Cast, dataset: Dataset) -> None:
    first = freeze(cast, dataset)
    case_changes.change_case(**on(cast, dataset, "quiet"), revision=1, content=LOUD)
    second = freeze(cast, dataset)
    case_changes.erase_case(**on(cast, dataset, "quiet"), reason="A person asked for it.")

    for version in (first, second):
        found = verify_version(version)
        assert (found.holds, found.erased, found.broken) == (True, ("quiet",), ())
        assert [case.is_erased for case in cases_of(version)] == [False, True]
    with connection.cursor() as cursor:
        cursor.execute("SELECT content::text, salt FROM registry_datasetcase WHERE key = 'quiet'")
        assert set(cursor.fetchall()) == {(None, None)}
    assert "Less noise" not in json.dumps(list(AuditEvent.objects.values("before", "after", "reason")))
    assert freeze(cast, dataset).case_count == 1


def test_what_was_erased_does_not_come_back_by_an_import(cast: Cast, dataset: Dataset) -> None:
    case_changes.erase_case(**on(cast, dataset, "quiet"), reason="A person asked for it.")
    with pytest.raises(CaseErased):
        add(cast, dataset, NewCase(QUIET, key="quiet"))
    with pytest.raises(CaseErased):
        case_changes.erase_case(**on(cast, dataset, "quiet"), reason="Again.")


def test_erasing_takes_a_reason_and_the_right_role(cast: Cast, dataset: Dataset) -> None:
    with pytest.raises(InvalidInput) as refused:
        case_changes.erase_case(**on(cast, dataset, "quiet"), reason=" ")
    assert refused.value.field == "reason"
    for role in ("writer", "annotator", "approver", "operator", "auditor"):
        with pytest.raises(NotAllowed):
            case_changes.erase_case(**on(cast, dataset, "quiet", role), reason="x")


def test_a_case_slipped_into_a_frozen_version_is_found(cast: Cast, dataset: Dataset) -> None:
    version = freeze(cast, dataset)
    add(cast, dataset, NewCase(QUIET, key="slipped"))
    case = DatasetCase.objects.get(key="slipped")
    DatasetVersionCase.objects.create(project_id=cast.project.id, version=version, position=3, case=case)
    assert not verify_version(version).digest_matches


def test_content_that_is_not_what_was_committed_to_is_found(cast: Cast, dataset: Dataset) -> None:
    case = DatasetCase.objects.get(key="quiet")
    DatasetCase.objects.create(
        project_id=cast.project.id, dataset=dataset, key="forged", content=LOUD.to_dict(), salt=case.salt,
        commitment=case.commitment,
    )  # fmt: skip
    found = verify_version(freeze(cast, dataset))
    assert (found.digest_matches, found.broken, found.holds) == (True, ("forged",), False)


@pytest.mark.parametrize(
    "change", [{"commitment": "sha256:0"}, {"key": "other"}, {"salt": "00"}, {"content": {"variables": {}}}]
)
def test_the_database_holds_a_case_to_its_word(cast: Cast, dataset: Dataset, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetCase.objects.filter(key="quiet").update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetCase.objects.filter(key="quiet").delete()


def test_a_failure_becomes_a_danger_case_once(cast: Cast) -> None:
    features.create_feature(
        actor=cast.actor("owner"), project_id=cast.project.id, slug="assistant", name="Assistant"
    )
    case = add_danger(cast, feature="assistant")
    again = add_danger(cast, LOUD, feature="assistant", actor=cast.actor("engineer"))
    assert again.pk == case.pk
    assert case.key == f"inference-{FROM_INFERENCE.ref}"
    assert case.feature is not None
    assert (case.dataset.kind, case.dataset.name, case.feature.slug) == ("danger", "danger", "assistant")
    assert events("danger_case.added") == 1


def test_a_danger_case_stays(cast: Cast) -> None:
    case = add_danger(cast)
    with pytest.raises(DangerCaseStays) as refused:
        case_changes.remove_case(**on(cast, case.dataset, case.key, "owner"))
    assert refused.value.code == "danger_case_stays"
    with pytest.raises(IntegrityError), transaction.atomic():
        DatasetCase.objects.filter(pk=case.pk).update(removed_at=case.created_at)


def test_a_danger_case_is_not_defused_in_passing(cast: Cast) -> None:
    case = add_danger(cast)
    for role in ("writer", "annotator"):
        with pytest.raises(NotAllowed):
            case_changes.change_case(
                **on(cast, case.dataset, case.key, role), revision=1, content=LOUD, reason="x"
            )
    with pytest.raises(InvalidInput) as refused:
        case_changes.change_case(**on(cast, case.dataset, case.key), revision=1, content=LOUD)
    assert refused.value.field == "reason"
    changed = case_changes.change_case(
        **on(cast, case.dataset, case.key), revision=1, content=LOUD, reason="The right answer was wrong."
    )
    assert add_danger(cast).pk == changed.pk


def test_an_erased_danger_case_does_not_come_back(cast: Cast) -> None:
    case = add_danger(cast)
    first = datasets.freeze_danger(project_id=cast.project.id)
    case_changes.erase_case(**on(cast, case.dataset, case.key), reason="A person asked for it.")
    with pytest.raises(CaseErased):
        add_danger(cast)
    assert verify_version(first).erased == (case.key,)
    assert datasets.freeze_danger(project_id=cast.project.id).version == "2.0.0"


def test_freezing_the_danger_set_twice_gives_the_same_version(cast: Cast) -> None:
    empty = datasets.freeze_danger(project_id=cast.project.id)
    assert (empty.version, empty.case_count, verify_version(empty).holds) == ("1.0.0", 0, True)
    assert datasets.freeze_danger(project_id=cast.project.id) == empty
    add_danger(cast)
    after = datasets.freeze_danger(project_id=cast.project.id)
    assert (after.version, after.case_count) == ("1.1.0", 1)
    assert datasets.freeze_danger(project_id=cast.project.id) == after
    assert events("dataset.frozen") == 2


def test_the_danger_sets_name_is_taken(cast: Cast) -> None:
    with pytest.raises(InvalidInput):
        datasets.create_dataset(actor=cast.actor("writer"), project_id=cast.project.id, name="danger")


def test_another_projects_dataset_is_not_found(strangers: Cast, dataset: Dataset) -> None:
    for role in ("owner", "auditor"):
        with pytest.raises(NotFound):
            add(strangers, dataset, NewCase(LOUD))
        with pytest.raises(NotFound):
            case_changes.erase_case(**on(strangers, dataset, "quiet", role), reason="x")


@pytest.mark.parametrize("role", ["approver", "operator", "auditor"])
def test_who_does_not_edit_cannot(cast: Cast, dataset: Dataset, role: str) -> None:
    actor = cast.actor(role)
    with pytest.raises(NotAllowed):
        datasets.create_dataset(actor=actor, project_id=cast.project.id, name="x1")
    with pytest.raises(NotAllowed):
        cases.add_cases(actor=actor, dataset_id=dataset.id, cases=[NewCase(LOUD)])
    with pytest.raises(NotAllowed):
        datasets.freeze_dataset(actor=actor, dataset_id=dataset.id)
    with pytest.raises(NotAllowed):
        add_danger(cast, actor=actor)
    with pytest.raises(NotAllowed):
        imports.check_import(actor=actor, dataset_id=dataset.id, text="", file_format=FileFormat.CSV)


def test_an_import_is_reported_line_by_line_and_then_whole(cast: Cast, dataset: Dataset) -> None:
    lines = [
        {"key": "quiet", **QUIET.to_dict()},
        {"key": "loud", **QUIET.to_dict()},
        {"key": "third", "variables": {}, "feature": "nowhere"},
        {"key": "fourth", "variables": {}},
    ]
    given: dict[str, Any] = {
        "actor": cast.actor("writer"),
        "dataset_id": dataset.id,
        "file_format": FileFormat.JSONL,
    }
    text = "\n".join(json.dumps(line) for line in lines)
    report = imports.check_import(**given, text=text)
    assert [(item.line, item.field) for item in report.findings] == [(2, "key"), (3, "feature")]
    with pytest.raises(DomainError) as refused:
        imports.import_cases(**given, text=text)
    assert (refused.value.code, len(refused.value.errors)) == ("import_findings", 2)
    assert DatasetCase.objects.count() == 2

    good = "\n".join(json.dumps(line) for line in (lines[0], lines[3]))
    assert imports.check_import(**given, text=good) == imports.ImportReport(1, 1, ())
    assert imports.import_cases(**given, text=good) == cases.Added(("fourth",), ("quiet",))
    assert DatasetCase.objects.get(key="fourth").source_kind == "import"
