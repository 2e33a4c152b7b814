from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from registry.datasets import NewCase
from registry.models import Dataset, DatasetCase, DatasetVersion
from registry.services import datasets
from tests.cast import Cast
from tests.registry.services.test_dataset_services import QUIET, add, add_danger, freeze
from tests.registry.views.conftest import As


@pytest.fixture
def dataset(cast: Cast) -> Dataset:
    made = datasets.create_dataset(actor=cast.actor("writer"), project_id=cast.project.id, name="held-out")
    add(cast, made, NewCase(QUIET, key="quiet"))
    return made


def typed(**changes: Any) -> dict[str, Any]:
    """What a browser sends for a case."""
    return {
        "key": "loud",
        "feature": "",
        "variables": '{"request": "More detail."}',
        "expected": '{"value": "debug"}',
        "context": "First.\n\nSecond.",
        "tags": "logs, detail",
        "note": "",
        **changes,
    }


def text_of(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_explains_the_danger_set_and_teaches_the_first_step(browse: As, cast: Cast) -> None:
    page = text_of(browse("writer"), "/datasets/")
    assert "Make the first dataset" in page
    assert "It has no cases yet" in page
    assert "Make the first dataset" not in text_of(browse("auditor"), "/datasets/")
    add_danger(cast)
    assert 'href="/datasets/danger/"' in text_of(browse("writer"), "/datasets/")


def test_a_dataset_is_made_filled_and_frozen(browse: As) -> None:
    client = browse("writer")
    assert client.post("/datasets/new/", {"name": "held-out"})["Location"] == "/datasets/held-out/"
    assert "No cases yet" in text_of(client, "/datasets/held-out/")
    client.post("/datasets/held-out/cases/new/", typed())
    case = DatasetCase.objects.get()
    assert case.said is not None
    assert (case.said.expected, case.said.context, case.said.tags) == (
        {"value": "debug"},
        ("First.", "Second."),
        ("logs", "detail"),
    )
    assert "Freeze 1.0.0" in text_of(client, "/datasets/held-out/")
    done = client.post("/datasets/held-out/freeze/", {"changelog": "First."})
    assert done["Location"] == "/datasets/held-out/versions/1.0.0/"
    page = text_of(client, done["Location"])
    assert "It is what was frozen" in page
    assert DatasetVersion.objects.get().digest in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"key": "A B"}, "key"),
        ({"key": "quiet"}, "key"),
        ({"variables": ""}, "variables"),
        ({"variables": "[1]"}, "variables"),
        ({"variables": "{"}, "variables"),
        ({"tags": "a, a"}, "tags"),
    ],
)
def test_a_fault_is_shown_at_its_field_and_adds_nothing(
    browse: As, dataset: Dataset, changes: dict[str, Any], field: str
) -> None:
    answer = browse("writer").post("/datasets/held-out/cases/new/", typed(**changes))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert DatasetCase.objects.count() == 1


def test_cases_are_found_by_key_and_content(browse: As, dataset: Dataset) -> None:
    client = browse("auditor")
    assert "/cases/quiet/" in text_of(client, "/datasets/held-out/", q="noise")
    assert "Nothing found" in text_of(client, "/datasets/held-out/", q="nothing of the kind")
    assert "Nothing found" in text_of(client, "/datasets/held-out/", feature="nowhere")


def test_a_case_is_changed_removed_and_restored(browse: As, dataset: Dataset) -> None:
    client = browse("writer")
    where = "/datasets/held-out/cases/quiet/"
    initial = client.get(where).context["form"].initial
    client.post(f"{where}change/", typed(**initial) | {"note": "Why."})
    assert DatasetCase.objects.get(key="quiet", superseded_at=None).revision == 2
    stale = client.post(f"{where}change/", typed(revision=1))
    assert stale.status_code == 422
    client.post(f"{where}remove/")
    page = text_of(client, where)
    assert "Removed" in page
    assert f"{where}restore/" in page
    assert "/cases/quiet/" in text_of(client, "/datasets/held-out/", show="removed")
    client.post(f"{where}restore/")
    assert "/cases/quiet/" in text_of(client, "/datasets/held-out/")


def test_an_erased_case_is_marked_everywhere(browse: As, cast: Cast, dataset: Dataset) -> None:
    freeze(cast, dataset)
    where = "/datasets/held-out/cases/quiet/"
    assert f"{where}erase/" not in text_of(browse("writer"), where)
    client = browse("engineer")
    assert f"{where}erase/" in text_of(client, where)
    client.post(f"{where}erase/", {"reason": "A person asked for it."})
    for path, query in (
        (where, ""),
        ("/datasets/held-out/", "erased"),
        ("/datasets/held-out/versions/1.0.0/", ""),
    ):
        page = text_of(client, path, show=query)
        assert "Erased" in page or "erased" in page
        assert "Less noise" not in page
    assert "erased: the content is gone" in text_of(client, "/datasets/held-out/versions/1.0.0/")


def test_a_file_is_checked_first_and_then_imported(browse: As, dataset: Dataset) -> None:
    client = browse("writer")
    bad = client.post("/datasets/held-out/import/", {"text": "[1]", "format": "jsonl", "action": "import"})
    assert bad.status_code == 422
    assert "Line 1" in bad.content.decode()
    file = SimpleUploadedFile("cases.csv", b"key,variables.request,expected\nloud,More detail.,debug\n")
    checked = client.post("/datasets/held-out/import/", {"file": file, "format": "jsonl", "action": "check"})
    assert checked.status_code == 200
    assert checked.context["report"].new == 1
    initial = checked.context["form"].initial
    assert DatasetCase.objects.count() == 1
    done = client.post("/datasets/held-out/import/", {**initial, "action": "import"})
    assert done.status_code == 302
    assert DatasetCase.objects.get(key="loud").source_kind == "import"
    nothing = client.post("/datasets/held-out/import/", {"format": "csv"})
    assert list(nothing.context["form"].errors) == ["file"]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_what_is_exported_can_be_imported(browse: As, cast: Cast, dataset: Dataset, ending: str) -> None:
    freeze(cast, dataset)
    client = browse("writer")
    answer = client.get(f"/datasets/held-out/export.{ending}", {"version": "1.0.0"})
    assert f'filename="held-out-1.0.0.{ending}"' in answer["Content-Disposition"]
    report = client.post(
        "/datasets/held-out/import/", {"text": answer.content.decode(), "format": ending, "action": "check"}
    ).context["report"]
    assert (report.new, report.same, report.findings) == (0, 1, ())
    assert client.get("/datasets/held-out/export.pdf").status_code == 404


def test_a_failure_is_added_to_the_danger_set_in_two_clicks(browse: As) -> None:
    client = browse("annotator")
    sent = {
        "source": "inference",
        "source_ref": "0199",
        "variables": json.dumps({"request": "Let the office in."}),
        "answer": "0.0.0.0/0",
    }
    form = client.post("/danger-cases/add/", sent)
    assert form.status_code == 200
    page = form.content.decode()
    assert "0.0.0.0/0" in page
    assert not DatasetCase.objects.exists()
    done = client.post(
        "/danger-cases/add/", typed(**sent, action="add") | {"expected": '{"value": "10.20.0.0/16"}'} | sent
    )
    assert done["Location"] == "/datasets/danger/cases/inference-0199/"
    page = text_of(client, done["Location"])
    assert "Cases of the danger set stay" in page
    assert "Remove</button>" not in page
    refused = client.post("/danger-cases/add/", typed(variables="", action="add"))
    assert refused.status_code == 422


def test_another_projects_dataset_is_not_found(strangers: Cast, dataset: Dataset) -> None:
    client = Client()
    client.force_login(strangers.users["owner"])
    for path in ("", "export.csv", "import/", "cases/quiet/", "cases/new/", "versions/1.0.0/"):
        assert client.get(f"/datasets/held-out/{path}").status_code == 404
    for path in ("freeze/", "cases/quiet/remove/", "cases/quiet/erase/", "cases/quiet/change/"):
        assert client.post(f"/datasets/held-out/{path}").status_code == 404


def test_pages_cost_the_same_for_many_cases(
    browse: As, cast: Cast, dataset: Dataset, count_queries: Any
) -> None:
    client = browse("writer")

    def cost() -> int:
        with count_queries() as seen:
            client.get("/datasets/held-out/")
            client.get("/datasets/")
        return len(seen)

    one = cost()
    add(cast, dataset, *(NewCase(QUIET) for _ in range(5)))
    assert cost() == one
