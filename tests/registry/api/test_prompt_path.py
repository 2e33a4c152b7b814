"""From a new prompt to a withdrawn version, over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from promptstore.core import keys
from tests.cast import Cast
from tests.registry.api.conftest import ROOT, As
from tests.registry.conftest import BODY, says

DRAFT = f"{ROOT}/prompts/suggest/drafts/main/"


def create(client: APIClient, **more: Any) -> Any:
    return client.post(f"{ROOT}/prompts/", {"name": "suggest", "body": BODY, **more})


def test_a_prompt_goes_from_draft_to_version_to_withdrawal(as_role: As) -> None:
    writer = as_role("writer")
    made = create(writer, description="Suggests entries.")
    assert made.status_code == 201
    assert made.json()["latest_version"] is None

    draft = writer.get(DRAFT)
    assert draft["ETag"] == '"1"'
    saved = writer.put(DRAFT, {"body": says("Be brief.")}, headers={"If-Match": draft["ETag"]})
    assert (saved.status_code, saved["ETag"], saved.json()["updated_by"]) == (200, '"2"', "writer@acme")

    assert writer.get(f"{DRAFT}proposal/").json() == {"version": "1.0.0", "bump": None, "reasons": []}
    first = writer.post(f"{DRAFT}publish/", {"changelog": "First."}, headers={"If-Match": '"2"'})
    assert first.status_code == 201, first.content
    assert first.json()["version"] == "1.0.0"

    writer.put(DRAFT, {"body": says("Be very brief.")}, headers={"If-Match": '"2"'})
    second = writer.post(f"{DRAFT}publish/", {}, headers={"If-Match": '"3"'})
    assert second.json()["version"] == "1.0.1"

    versions = writer.get(f"{ROOT}/prompts/suggest/versions/").json()["results"]
    assert [row["version"] for row in versions] == ["1.0.1", "1.0.0"]
    diff = writer.get(f"{ROOT}/prompts/suggest/versions/1.0.1/diff/", {"against": "1.0.0"}).json()
    assert (diff["bump"], {"kind": "insert", "text": "very "} in diff["messages"][0]["segments"]) == (
        "patch",
        True,
    )

    withdrawn = as_role("engineer").post(
        f"{ROOT}/prompts/suggest/versions/1.0.1/withdraw/", {"reason": "Too brief."}
    )
    assert withdrawn.json()["withdrawal_reason"] == "Too brief."
    again = writer.post(f"{DRAFT}reopen/", {"version": "1.0.0"}, headers={"If-Match": '"3"'})
    assert again.json()["body"]["messages"][0]["content"] == "Be brief."


def test_a_stale_save_says_who_was_faster_and_overwrites_nothing(as_role: As) -> None:
    writer, engineer = as_role("writer"), as_role("engineer")
    create(writer)
    engineer.put(DRAFT, {"body": says("The engineer's.")}, headers={"If-Match": '"1"'})

    late = writer.put(DRAFT, {"body": says("The writer's.")}, headers={"If-Match": '"1"'})

    assert late.status_code == 412
    assert late["Content-Type"] == "application/problem+json"
    problem = late.json()
    assert (problem["code"], problem["current_revision"], problem["saved_by"]) == (
        "stale_write",
        2,
        "engineer@acme",
    )
    assert writer.get(DRAFT).json()["body"]["messages"][0]["content"] == "The engineer's."


def test_lint_and_preview_look_at_text_that_is_not_saved(as_role: As) -> None:
    writer = as_role("writer")
    create(writer)

    report = writer.post(f"{DRAFT}lint/", {"body": says("Hello {{ nobody }}")}).json()
    assert report["publishable"] is False
    assert {(item["rule"], item["line"], item["column"]) for item in report["findings"]} >= {
        ("undeclared-variable", 1, 10)
    }

    shown = writer.post(f"{DRAFT}preview/", {"variables": {"service": "billing", "question": "Why?"}}).json()
    assert shown["messages"][1]["content"] == "Service: billing\nQuestion: Why?"
    assert shown["tokens"] > 10


def test_the_same_idempotency_key_publishes_once(as_role: As) -> None:
    writer = as_role("writer")
    create(writer)
    headers = {"If-Match": '"1"', "Idempotency-Key": "publish-1"}

    first = writer.post(f"{DRAFT}publish/", {}, headers=headers)
    again = writer.post(f"{DRAFT}publish/", {}, headers=headers)

    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])
    assert again["Idempotent-Replay"] == "true"


def test_a_service_key_reads_but_does_not_write(cast: Cast, as_role: As) -> None:
    create(as_role("writer"))
    _key, secret = keys.create_service_key(
        actor=cast.actor("owner"), environment=cast.staging, name="app", scopes=["serve"]
    )
    service = APIClient(headers={"Authorization": f"Bearer {secret}"})

    assert service.get(f"{ROOT}/prompts/").json()["results"][0]["name"] == "suggest"
    assert create(service).status_code == 403


def test_search_finds_parts_and_words_alike(as_role: As) -> None:
    writer = as_role("writer")
    create(writer, description="Suggests configuration entries.")
    writer.post(f"{ROOT}/prompts/", {"name": "billing-summary"})

    def found(text: str) -> list[str]:
        return [row["name"] for row in writer.get(f"{ROOT}/prompts/", {"search": text}).json()["results"]]

    assert found("ugges") == ["suggest"]
    assert found("configuration") == ["suggest"]
    assert found("biling") == ["billing-summary"]
    assert found("nothing like it") == []
