"""Bad input gets a problem document that names the field, and changes nothing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from registry.models import Prompt, PromptDraft, PromptVersion
from registry.services import drafts, publishing
from tests.cast import Cast, make_cast
from tests.registry.api.conftest import ROOT, As
from tests.registry.conftest import BODY, CONFIG, HOSTED, changed, make_prompt, says

DRAFT = f"{ROOT}/prompts/suggest/drafts/main/"


def user_says(text: str) -> dict[str, Any]:
    return changed(messages=[{"role": "user", "content": text + "{{ service }}{{ question }}"}])


BAD_DRAFTS: dict[str, tuple[Any, str]] = {
    "no object": (5, "prompt"),
    "no messages": ({}, "messages"),
    "empty messages": ({"messages": []}, "messages"),
    "unknown key": ({**BODY, "temperature": 1}, "temperature"),
    "unknown role": (changed(messages=[{"role": "robot", "content": ""}]), "messages[0].role"),
    "content is no text": (changed(messages=[{"role": "user", "content": 5}]), "messages[0].content"),
    "schema is no object": (changed(input_schema=[]), "input_schema"),
    "temperature out of range": (changed(params={"temperature": 9}), "params.temperature"),
    "tool without a name": (changed(tools=[{"type": "function", "function": {}}]), "tools[0].function.name"),
    "template too large": (
        changed(messages=[{"role": "user", "content": "x" * 300_000}]),
        "messages[0].content",
    ),
}


@pytest.mark.parametrize("case", BAD_DRAFTS)
def test_a_malformed_draft_is_refused_with_the_field(as_role: As, draft: PromptDraft, case: str) -> None:
    body, field = BAD_DRAFTS[case]

    answer = as_role("writer").put(
        DRAFT, json.dumps({"body": body}), content_type="application/json", headers={"If-Match": '"1"'}
    )

    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["field"] == field
    draft.refresh_from_db()
    assert (draft.revision, draft.body["messages"]) == (1, BODY["messages"])


BLOCKED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown variable": (user_says("{{ nobody }}"), "undeclared-variable"),
    "syntax error": (user_says("{{ "), "template-syntax"),
    "loop bomb": (user_says("{% for i in range(10**9) %}x{% endfor %}"), "not-in-subset"),
    "range bomb": (user_says("{{ range(10**9) }}"), "not-in-subset"),
    "string bomb": (user_says('{{ "a" * 10**9 }}'), "not-in-subset"),
    "power bomb": (user_says("{{ 9 ** 9 ** 9 ** 9 }}"), "not-in-subset"),
    "attribute escape": (user_says("{{ service.__class__.__mro__ }}"), "not-in-subset"),
    "invalid schema": (changed(input_schema={"type": "nonsense"}), "invalid-schema"),
    "schema that fetches": (changed(input_schema={"$ref": "http://127.0.0.1:1/x"}), "invalid-schema"),
    "secret": (says("Use sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"), "secret"),
}


@pytest.mark.parametrize("case", BLOCKED)
def test_what_may_not_be_published_is_said_at_once_on_lint_and_on_publish(
    as_role: As, draft: PromptDraft, case: str
) -> None:
    body, rule = BLOCKED[case]
    writer = as_role("writer")
    saved = writer.put(DRAFT, {"body": body}, headers={"If-Match": '"1"'})
    assert saved.status_code == 200, saved.content

    started = time.perf_counter()
    linted = writer.post(f"{DRAFT}lint/", {})
    published = writer.post(f"{DRAFT}publish/", {}, headers={"If-Match": '"2"'})
    took_s = time.perf_counter() - started

    assert any(rule in item["rule"] and item["severity"] == "error" for item in linted.json()["findings"]), (
        linted.json()
    )
    assert (published.status_code, published.json()["code"]) == (422, "lint_errors")
    assert any(rule in item["rule"] for item in published.json()["errors"])
    assert took_s < 2  # each within a second
    assert not PromptVersion.objects.exists()


def test_a_bomb_in_the_preview_is_stopped(as_role: As, draft: PromptDraft) -> None:
    started = time.perf_counter()
    answer = as_role("writer").post(
        f"{DRAFT}preview/",
        {"body": user_says('{{ "a" * 10**9 }}'), "variables": {"service": "", "question": ""}},
    )

    assert (answer.status_code, answer.json()["message_index"]) == (422, 0)
    assert time.perf_counter() - started < 5


def test_a_preview_without_a_variable_names_it(as_role: As, draft: PromptDraft) -> None:
    answer = as_role("writer").post(f"{DRAFT}preview/", {"variables": {"service": "billing"}})

    assert (answer.status_code, answer.json()["code"]) == (422, "missing_variable")
    assert "question" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("version", "code"),
    [("0.9.0", "version_not_higher"), ("1.0.0", "version_exists"), ("v1", "invalid_version")],
)
def test_versions_that_go_back_or_repeat_are_refused(
    cast: Cast, as_role: As, draft: PromptDraft, version: str, code: str
) -> None:
    writer = cast.actor("writer")
    publishing.publish_version(actor=writer, draft_id=draft.id, revision=1)
    drafts.save_draft(actor=writer, draft_id=draft.id, revision=1, body=says("Newer."))

    answer = as_role("writer").post(f"{DRAFT}publish/", {"version": version}, headers={"If-Match": '"2"'})

    assert answer.status_code in {400, 409}
    assert (answer.json()["code"], answer.json()["field"]) == (code, "version")
    assert PromptVersion.objects.count() == 1


def test_a_body_of_ten_megabytes_is_refused(as_role: As, draft: PromptDraft) -> None:
    huge = json.dumps({"body": says("x" * 10_000_000)})

    answer = as_role("writer").put(DRAFT, huge, content_type="application/json", headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "raw",
    [
        '{"body": {"messages": [{"role": "user", "content": "a\\u0000b"}]}}',
        '{"a": NaN}',
        '{"a": 1, "a": 2}',
        "[" * 500,
        "{",
    ],
)
def test_a_body_that_is_no_clean_json_is_refused(as_role: As, draft: PromptDraft, raw: str) -> None:
    answer = as_role("writer").put(DRAFT, raw, content_type="application/json", headers={"If-Match": '"1"'})

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    draft.refresh_from_db()
    assert draft.revision == 1


@pytest.mark.parametrize(
    ("header", "status"), [(None, 428), ("abc", 400), ('"7"', 412), ('"99999999999999"', 400)]
)
def test_a_save_needs_the_revision_it_starts_from(
    as_role: As, draft: PromptDraft, header: str | None, status: int
) -> None:
    headers = {"If-Match": header} if header else {}

    answer = as_role("writer").put(DRAFT, {"body": says("New.")}, headers=headers)

    assert answer.status_code == status


BAD_CALLS: dict[str, tuple[str, str, Any, int, str]] = {
    "name with a space": ("post", "/prompts/", {"name": "My prompt"}, 400, "name"),
    "no name": ("post", "/prompts/", {}, 400, "name"),
    "unknown member": ("post", "/prompts/", {"name": "ok", "titel": "x"}, 400, "titel"),
    "alias of a hosted model": (
        "post",
        "/models/assistant/versions/",
        {**HOSTED, "version": "1.0.0", "provider_model_id": "assistant-latest"},
        400,
        "provider_model_id",
    ),
    "unknown endpoint": (
        "post",
        "/models/assistant/versions/",
        {**HOSTED, "version": "1.0.0", "endpoint": "no"},
        400,
        "endpoint",
    ),
    "hosted without a snapshot": (
        "post",
        "/models/assistant/versions/",
        {**HOSTED, "version": "1.0.0", "snapshot_at": None},
        400,
        "snapshot_at",
    ),
    "metric that is no number": (
        "post",
        "/models/assistant/versions/",
        {**HOSTED, "version": "1.0.0", "metrics": {"f1": "good"}},
        400,
        "metrics.f1",
    ),
    "model version that is none": (
        "post",
        "/models/assistant/versions/",
        {**HOSTED, "version": "one"},
        400,
        "version",
    ),
    "config without safe mode": (
        "post",
        "/configs/calm/versions/",
        {"body": {"on_withdraw": "stable"}},
        400,
        "body.safe_mode",
    ),
    "config with a bomb": (
        "post",
        "/configs/calm/versions/",
        {"body": {**CONFIG, "safe_mode": {"kind": "template", "template": "{{ range(10**9) }}"}}},
        400,
        "body.safe_mode.template",
    ),
    "config with a slow pattern": (
        "post",
        "/configs/calm/versions/",
        {"body": {**CONFIG, "policy": {"banned": [{"id": "x", "pattern": "/(a+)+b/"}]}}},
        400,
        "body.policy.banned[0].pattern",
    ),
    "endpoint at a metadata service": (
        "post",
        "/endpoints/",
        {
            "name": "meta",
            "protocol": "openai_http",
            "base_url": "http://169.254.169.254/",
            "allow_private": True,
        },
        400,
        "base_url",
    ),
    "endpoint in a private network": (
        "post",
        "/endpoints/",
        {"name": "inside", "protocol": "openai_http", "base_url": "http://127.0.0.1:9/v1"},
        400,
        "base_url",
    ),
    "risk class": ("post", "/features/", {"slug": "f", "name": "F", "risk_class": "none"}, 400, "risk_class"),
    "approver who is not one": (
        "post",
        "/features/helper/approvers/",
        {"user": "00000000-0000-0000-0000-000000000001"},
        404,
        "feature",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls_name_the_field(as_role: As, prompt: Prompt, case: str) -> None:
    method, path, body, status, field = BAD_CALLS[case]

    answer = getattr(as_role("owner"), method)(f"{ROOT}{path}", body)

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["field"] == field


PATHS = [
    "/prompts/",
    "/prompts/suggest/",
    "/prompts/suggest/drafts/main/",
    "/prompts/suggest/versions/1.0.0/",
    "/models/",
    "/endpoints/",
    "/configs/",
    "/features/",
    "/lint-policy/",
]


@pytest.mark.parametrize("path", PATHS)
def test_another_projects_objects_do_not_exist(cast: Cast, strangers: Cast, as_role: As, path: str) -> None:
    make_prompt(strangers)
    acme = as_role("owner")

    theirs = acme.get(f"/api/v1/projects/umbrella{path}")
    nobodys = acme.get(f"/api/v1/projects/no-such-project{path}")

    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.json()["detail"].replace("umbrella", "*") == nobodys.json()["detail"].replace(
        "no-such-project", "*"
    )


def test_a_prompt_of_another_project_is_not_found_in_mine(cast: Cast, as_role: As) -> None:
    make_prompt(make_cast("umbrella"), name="theirs")

    answer = as_role("owner").put(
        f"{ROOT}/prompts/theirs/drafts/main/", {"body": BODY}, headers={"If-Match": '"1"'}
    )

    assert answer.status_code == 404


def test_nobody_gets_in_without_signing_in(cast: Cast) -> None:
    from rest_framework.test import APIClient

    answer = APIClient().get(f"{ROOT}/prompts/")

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
