"""What the strict parser lets in can be stored and read back as the same value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from promptstore.core.digests import canonical_json
from promptstore.core.http.parsers import FLOAT_LIMIT, NumberTooLarge, loads
from tests.cast import Cast

EXACT = 2**53 - 1
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-EXACT, EXACT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([FLOAT_LIMIT, -FLOAT_LIMIT, FLOAT_LIMIT - 1, 1e16, 1e308, -0.0, 5e-324])
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def stored(value: Any) -> Any:
    """What PostgreSQL gives back for a `jsonb`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (%s::jsonb)::text", [json.dumps(value)])
        return json.loads(cursor.fetchone()[0])


@pytest.mark.django_db
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=DOCUMENTS)
def test_what_is_let_in_has_the_same_canonical_form_after_storing(document: Any) -> None:
    try:
        value = loads(json.dumps(document))
    except NumberTooLarge:
        assert any(isinstance(one, float) and abs(one) >= FLOAT_LIMIT for one in leaves(document))
        return
    assert canonical_json(stored(value)) == canonical_json(value)


def leaves(value: Any) -> list[Any]:
    """Everything in `value` that holds nothing itself."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inner is None else [leaf for one in inner for leaf in leaves(one)]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("1e16", ""),
        ('{"a": 9007199254740992.0}', "a"),
        ('{"a": [1, {"b": -1E300}]}', "a[1].b"),
        ('[{"x": 1.5}, 9.1e15]', "[1]"),
    ],
)
def test_a_float_without_a_fraction_is_refused_at_its_place(text: str, field: str) -> None:
    with pytest.raises(NumberTooLarge, match="too large a number: use less than 2\\^53") as refused:
        loads(text)
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["9007199254740991.0", "-9007199254740991.0", "9007199254740991", "1e15"])
def test_what_is_below_is_let_in(text: str) -> None:
    assert canonical_json(loads(text)) == canonical_json(float(text))


def test_the_api_names_the_member(cast: Cast) -> None:
    client = APIClient()
    client.force_login(cast.users["owner"])
    answer = client.put(
        "/api/v1/projects/acme/environments/production/policy/",
        '{"body": {"gate_params": {"smoke": {"limits": [0.5, 1e17]}}}}',
        content_type="application/json",
        headers={"If-Match": '"0"'},
    )
    told = answer.json()
    assert (answer.status_code, told["code"]) == (400, "not_canonical")
    assert told["field"] == "body.gate_params.smoke.limits[1]"
