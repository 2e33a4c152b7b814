from __future__ import annotations

from typing import Any

import pytest

from promptstore.core.errors import InvalidInput
from registry.breaker import BreakerSettings, Fallback, check_fallback_models
from registry.configs import check_config_body
from tests.registry.conftest import CONFIG


def body(**breaker: Any) -> dict[str, Any]:
    return {**CONFIG, "breaker": breaker}


def test_a_config_may_leave_everything_to_the_defaults() -> None:
    assert check_config_body(body())["breaker"] == {}
    assert check_config_body(body(fallbacks=[]))


def test_a_full_breaker_is_read_in_its_order() -> None:
    full = body(
        failure_ratio_bp=2_500,
        min_calls=10,
        window_s=60,
        open_s=15,
        half_open_calls=2,
        cache_max_age_s=60,
        fallbacks=["cache", "cheap", "template"],
    )
    assert BreakerSettings.parse(check_config_body(full)["breaker"]) == BreakerSettings(
        2_500, 10, 60, 15, 2, 60, (Fallback.CACHE, Fallback.CHEAP, Fallback.TEMPLATE)
    )


@pytest.mark.parametrize(
    ("breaker", "field"),
    [
        ({"failure_ratio_bp": 0}, "body.breaker.failure_ratio_bp"),
        ({"failure_ratio_bp": 10_001}, "body.breaker.failure_ratio_bp"),
        ({"min_calls": 0}, "body.breaker.min_calls"),
        ({"window_s": 3_601}, "body.breaker.window_s"),
        ({"open_s": "30"}, "body.breaker.open_s"),
        ({"half_open_calls": True}, "body.breaker.half_open_calls"),
        ({"cache_max_age_s": 86_401}, "body.breaker.cache_max_age_s"),
        ({"fallbacks": "cheap"}, "body.breaker.fallbacks"),
        ({"fallbacks": ["cheap", "cheap"]}, "body.breaker.fallbacks"),
        ({"fallbacks": ["cheap", "human"]}, "body.breaker.fallbacks[1]"),
        ({"opens": 3}, "body.breaker.opens"),
    ],
)
def test_a_breaker_that_cannot_be_is_refused_at_its_field(breaker: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_config_body(body(**breaker))
    assert caught.value.field == field
    assert caught.value.detail


def test_a_fallback_of_a_newer_version_is_left_out_by_an_older_node() -> None:
    parsed = BreakerSettings.parse({"fallbacks": ["human", "template"]})
    assert parsed is not None
    assert parsed.fallbacks == (Fallback.TEMPLATE,)


def test_the_settings_are_said_in_words() -> None:
    assert BreakerSettings(fallbacks=(Fallback.CHEAP, Fallback.TEMPLATE)).in_words() == (
        "Opens when 50 % of at least 20 calls within 30 s fail. After 30 s it tries 3 again. "
        "Meanwhile: the release's cheap model, then the safe-mode answer."
    )
    assert "told when to come back" in BreakerSettings(fallbacks=()).in_words()


@pytest.mark.parametrize(
    ("config", "roles"),
    [
        (body(fallbacks=["cheap"]), ["primary", "cheap"]),
        (body(fallbacks=["cache", "template"]), ["primary"]),
        (body(), ["primary"]),
        (CONFIG, ["primary"]),
    ],
)
def test_a_release_with_whom_its_breaker_asks_for_is_fine(config: dict[str, Any], roles: list[str]) -> None:
    check_fallback_models(config, roles)


def test_a_release_without_the_cheap_model_that_its_breaker_falls_back_to_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_fallback_models(body(fallbacks=["template", "cheap"]), ["primary", "judge"])
    assert caught.value.field == "models.cheap"
    assert "role “cheap”" in caught.value.detail
