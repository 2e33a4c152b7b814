"""Problem documents and strict JSON: through real HTTP handling, on a view made for this and on the product's."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.test import APIClient

from promptstore.core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, StaleWrite
from promptstore.core.http.parsers import MAX_DEPTH, loads
from registry.models import Prompt
from tests.cast import Cast
from tests.core.probe import (
    PROMPTS,
    Body,
    does,
    is_problem,
    on_probe,
    post,
    refuses_with,
    signed_in,
)

# --- errors as documents ---------------------------------------------------------------------------------


def check(request: Request) -> Any:
    Body(data=request.data).is_valid(raise_exception=True)
    return {}


@on_probe
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "too long"}, "name"),
        ({"messages": [{"role": "user"}, {"role": "pirate"}]}, "messages[1].role"),
        ({"messages": [{"role": "user", "tags": [1, 2, "x"]}]}, "messages[0].tags[2]"),
        ({"messages": {"role": "user"}}, "messages"),
        ({"limits": {"rate": 0}}, "limits.rate"),
        ({"limits": {}}, "limits.rate"),
        ({"name": "whole"}, None),
    ],
)
def test_a_validation_error_names_the_nested_field(api: APIClient, change: Any, field: str | None) -> None:
    does(check)
    good = {"name": "a", "messages": [], "limits": {"rate": 1}}
    body = is_problem(post(api, good | change), 400, "invalid", field)
    assert body["errors"][0]["field"] == field
    assert field is None or body["detail"].startswith(f"{field}: ")


@on_probe
def test_all_faults_of_a_body_are_listed_at_once(api: APIClient) -> None:
    does(check)
    body = is_problem(
        post(api, {"messages": [{"role": "x"}], "limits": {"rate": -1}}), 400, "invalid", "name"
    )
    assert [fault["field"] for fault in body["errors"]] == ["name", "messages[0].role", "limits.rate"]


@on_probe
@pytest.mark.parametrize(
    ("error", "status", "code", "field"),
    [
        (DomainError("No."), 422, "domain_error", None),
        (InvalidInput("No.", field="plan.steps[1]"), 400, "invalid", "plan.steps[1]"),
        (NotAllowed("No.", code="own_change"), 403, "own_change", None),
        (NotFound("No.", field="release"), 404, "not_found", "release"),
        (Conflict("No."), 409, "conflict", None),
        (StaleWrite("No."), 412, "stale_write", None),
        (DomainError("No.", status=413, code="body_too_large"), 413, "body_too_large", None),
        (Http404(), 404, "not_found", None),
        (PermissionDenied("Not you."), 403, "not_allowed", None),
        (Throttled(wait=7), 429, "throttled", None),
    ],
)
def test_a_refusal_becomes_a_document_with_its_code(
    api: APIClient, error: Exception, status: int, code: str, field: str | None
) -> None:
    refuses_with(error)
    response = api.get("/api/v1/probe/")
    is_problem(response, status, code, field)
    assert response.headers.get("Retry-After") == ("7" if status == 429 else None)


@on_probe
def test_what_a_refusal_adds_is_in_its_document(api: APIClient) -> None:
    refuses_with(
        Conflict("No.", extra={"allowed_actions": ["pause"]}, errors=[{"field": "a", "detail": "b"}])
    )
    body = is_problem(api.get("/api/v1/probe/"), 409, "conflict")
    assert body["allowed_actions"] == ["pause"]
    assert body["errors"] == [{"field": "a", "detail": "b"}]


def test_nobody_gets_401_and_the_scheme_to_use(cast: Cast) -> None:
    response = APIClient().get(PROMPTS)
    is_problem(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_key_gets_401_and_is_not_repeated(cast: Cast) -> None:
    client = APIClient(headers={"Authorization": "Bearer ps_guessed-secret"})
    response = client.get(PROMPTS)
    body = is_problem(response, 401, "authentication_failed")
    assert "guessed" not in str(body)


def test_a_session_without_its_csrf_token_gets_403(cast: Cast) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(cast.users["writer"])
    is_problem(client.post(PROMPTS, {"name": "greeting"}, format="json"), 403, "permission_denied")
    assert not Prompt.objects.exists()


def test_a_role_that_lacks_the_permission_gets_403_naming_it(cast: Cast) -> None:
    response = signed_in(cast, "auditor").post(PROMPTS, {"name": "greeting"}, format="json")
    assert is_problem(response, 403, "not_allowed")["permission"] == "prompt.edit"
    assert not Prompt.objects.exists()


@pytest.mark.parametrize(
    "url", ["/api/v1/nothing/", "/api/v1/projects/acme/prompts/none/", "/api/v1/projects/none/prompts/"]
)
def test_what_is_not_there_is_a_document_too(api: APIClient, url: str) -> None:
    response = api.get(url)
    is_problem(response, 404, "not_found", response.json().get("field"))


def test_a_method_that_is_not_offered_gets_405(api: APIClient) -> None:
    body = is_problem(api.delete(PROMPTS), 405, "method_not_allowed")
    assert (body["title"], body["detail"]) == ("Method Not Allowed", 'Method "DELETE" not allowed.')


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_a_body_that_is_no_json_gets_415(api: APIClient, kind: str) -> None:
    is_problem(api.generic("POST", PROMPTS, "x", content_type=kind), 415, "unsupported_media_type")


@on_probe
def test_a_defect_shows_nothing_of_itself(api: APIClient) -> None:
    refuses_with(RuntimeError("the password is hunter2"))
    response = api.get("/api/v1/probe/")
    assert "hunter2" not in str(is_problem(response, 500, "internal_error"))


# --- strict JSON -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b'{"name": "a", "name": "b"}',
        b'{"name": "a", "nested": {"x": 1, "x": 2}}',
        b'{"n": NaN}',
        b'{"n": Infinity}',
        b'{"n": -Infinity}',
        b'{"n": 1e400}',
        b'{"n": -1e400}',
        b'{"n": ' + b"9" * 5_000 + b"}",
        b'{"name": "a\\u0000b"}',
        b'{"na\\u0000me": "a"}',
        b'{"name": "a\x00b"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\udc00\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"name": "\xff\xfe"}',
        b'{"name": "\xed\xa0\x80"}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b'{"name": "a"',
        b"{'name': 'a'}",
        b'{"name": "a"} {"name": "b"}',
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda raw: repr(raw[:30]),
)
@pytest.mark.parametrize("url", [PROMPTS, "/api/v1/projects/acme/promotions/"])
def test_what_is_no_strict_json_gets_400_and_changes_nothing(api: APIClient, raw: bytes, url: str) -> None:
    response = post(api, raw, url=url)
    is_problem(response, 400, "parse_error")
    assert not Prompt.objects.exists()


def test_nesting_up_to_the_limit_is_read_and_brackets_in_texts_do_not_count() -> None:
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert loads('"' + "[" * 1_000 + '\\"{"') == "[" * 1_000 + '"{'


def test_a_pair_of_surrogates_is_one_letter() -> None:
    assert loads(r'"\ud83d\ude00"') == "\U0001f600"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(-(2.0**53), 2.0**53, exclude_min=True, exclude_max=True)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\\")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=10,
)


@given(JSON)
def test_every_json_value_that_can_be_stored_is_read_as_it_was_written(value: Any) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value, ensure_ascii=False)) == value


@given(st.text(max_size=60))
def test_any_text_is_json_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        loads(text)


@pytest.mark.parametrize("key", ["", "attempt-1"])
@pytest.mark.parametrize(
    "url", [PROMPTS, "/api/v1/projects/acme/promotions/", "/api/v1/projects/acme/releases/"]
)
def test_a_body_of_ten_megabytes_is_refused(api: APIClient, url: str, key: str) -> None:
    response = post(api, b'{"name": "' + b"a" * 10_000_000 + b'"}', url=url, key=key)
    is_problem(response, 413, "body_too_large", "body")
    assert not Prompt.objects.exists()
