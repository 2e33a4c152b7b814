from __future__ import annotations

from typing import Any

from promptstore.core.models import IdempotentReply
from registry.models import DatasetCase
from tests.registry.api.conftest import ROOT, As

SETS = f"{ROOT}/datasets/"
CASE = {"key": "quiet", "content": {"variables": {"request": "Less noise."}, "expected": "warning"}}


def made(as_role: As, *cases: dict[str, Any]) -> None:
    client = as_role("writer")
    assert client.post(SETS, {"name": "held-out"}, format="json").status_code == 201
    assert client.post(f"{SETS}held-out/cases/", {"cases": list(cases)}, format="json").status_code == 200


def test_from_nothing_to_a_verified_version(as_role: As) -> None:
    made(as_role, CASE)
    client = as_role("writer")
    listed = client.get(SETS).json()["results"]
    assert [(row["name"], row["kind"], row["case_count"]) for row in listed] == [("held-out", "held_out", 1)]
    frozen = client.post(f"{SETS}held-out/versions/", {}, format="json")
    assert (frozen.status_code, frozen.json()["version"]) == (201, "1.0.0")
    shown = as_role("auditor").get(f"{SETS}held-out/versions/1.0.0/").json()
    assert shown["version"]["digest"] == frozen.json()["digest"]
    assert shown["cases"][0]["content"]["expected"] == "warning"
    assert shown["verification"] == {
        "holds": True,
        "digest_matches": True,
        "checked": 1,
        "broken": [],
        "erased": [],
    }
    again = client.post(f"{SETS}held-out/versions/", {}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "unchanged")


def test_a_change_names_the_revision_it_is_based_on(as_role: As) -> None:
    made(as_role, CASE)
    client, where = as_role("writer"), f"{SETS}held-out/cases/quiet/"
    body = {"content": {"variables": {}, "expected": "error"}}
    assert client.put(where, body, format="json").status_code == 428
    etag = client.get(where)["ETag"]
    changed = client.put(where, body, format="json", headers={"If-Match": etag})
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    stale = client.put(where, body, format="json", headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["current_revision"]) == (412, 2)


def test_the_fault_of_the_third_case_is_named(as_role: As) -> None:
    made(as_role, CASE)
    bad = {"key": "b", "content": {"variables": {}, "tags": ["x", "x"]}}
    answer = as_role("writer").post(f"{SETS}held-out/cases/", {"cases": [CASE, bad]}, format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, "cases[1].content.tags")
    unknown = as_role("writer").post(f"{SETS}held-out/cases/", {"cases": [{"colour": 1}]}, format="json")
    assert unknown.status_code == 400


def test_a_kept_answer_holds_nothing_that_would_have_to_be_erased(as_role: As) -> None:
    made(as_role, CASE)
    client = as_role("engineer")
    body = {
        "content": {"variables": {"name": "A person's name"}},
        "source_ref": "0199",
        "source_kind": "review",
    }
    answer = client.post(f"{ROOT}/danger-cases/", body, format="json", headers={"Idempotency-Key": "k1"})
    assert answer.status_code == 200, answer.json()
    assert "A person's name" not in str(IdempotentReply.objects.values())
    key = answer.json()["key"]
    refused = client.post(f"{SETS}danger/cases/{key}/remove/")
    assert (refused.status_code, refused.json()["code"]) == (409, "danger_case_stays")
    erased = client.post(f"{SETS}danger/cases/{key}/erase/", {"reason": "Asked for."}, format="json")
    assert erased.json()["erased_at"]
    assert client.get(f"{SETS}danger/cases/{key}/").json()["content"] is None


def test_an_import_reports_and_changes_nothing_until_it_is_meant(as_role: As) -> None:
    made(as_role, CASE)
    client, where = as_role("writer"), f"{SETS}held-out/import/"
    good = {"format": "csv", "text": "key,variables.request\nloud,More.\n"}
    assert client.post(where, {**good, "dry_run": True}, format="json").json() == {
        "new": 1,
        "same": 0,
        "findings": [],
        "dry_run": True,
    }
    assert DatasetCase.objects.count() == 1
    bad = client.post(where, {"format": "jsonl", "text": "{}"}, format="json")
    assert (bad.status_code, bad.json()["code"], bad.json()["errors"][0]["line"]) == (
        422,
        "import_findings",
        1,
    )
    assert client.post(where, good, format="json").json()["new"] == 1


def test_an_export_is_a_file_that_is_named_and_counted(as_role: As) -> None:
    made(as_role, CASE)
    client = as_role("auditor")
    assert '"key": "quiet"' in client.get(f"{SETS}held-out/export/").json()["text"]
    assert client.get(f"{SETS}held-out/export/", {"as": "csv"}).json()["text"].startswith("key,")
    assert client.get(f"{SETS}held-out/export/", {"as": "pdf"}).json()["field"] == "as"
    assert client.get(f"{SETS}held-out/export/", {"version": "9.0.0"}).status_code == 404


def test_cases_are_listed_by_feature_and_search(as_role: As) -> None:
    made(as_role, CASE, {"content": {"variables": {"request": "More."}}})
    client = as_role("auditor")
    assert len(client.get(f"{SETS}held-out/cases/").json()["results"]) == 2
    assert len(client.get(f"{SETS}held-out/cases/", {"search": "noise"}).json()["results"]) == 1
    assert client.get(f"{SETS}held-out/cases/", {"feature": "x"}).json()["results"] == []
