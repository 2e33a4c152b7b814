"""What a serving config says of its circuit breaker: when it opens, for how long, and what answers meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from promptstore.core.errors import InvalidInput


class Fallback(StrEnum):
    """What may answer while the model is not asked."""

    CHEAP = "cheap"
    CACHE = "cache"
    TEMPLATE = "template"


_WORDS = {
    Fallback.CHEAP: "the release's cheap model",
    Fallback.CACHE: "the last good answer to the same input",
    Fallback.TEMPLATE: "the safe-mode answer",
}


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """One breaker's settings; what a config leaves out has the value below.

    Of at least `min_calls` calls within `window_s` seconds, `failure_ratio_bp` basis points must have failed to open
    it. `open_s` seconds later `half_open_calls` trial calls decide. `fallbacks` are tried in their order; a cached
    answer is at most `cache_max_age_s` seconds old.
    """

    failure_ratio_bp: int = 5_000
    min_calls: int = 20
    window_s: int = 30
    open_s: int = 30
    half_open_calls: int = 3
    cache_max_age_s: int = 3_600
    fallbacks: tuple[Fallback, ...] = (Fallback.TEMPLATE,)

    @classmethod
    def parse(cls, raw: Mapping[str, Any] | None) -> Self | None:
        """The settings of a body that `check_config_body` accepted; None, without `breaker`, means that there is none."""
        if raw is None:
            return None
        values: dict[str, Any] = {name: raw[name] for name in NUMBERS if raw.get(name) is not None}
        if raw.get("fallbacks") is not None:
            # A name that this version does not know is left out: serving goes on with the others.
            values["fallbacks"] = tuple(known for known in map(_fallback, raw["fallbacks"]) if known)
        return cls(**values)

    def in_words(self) -> str:
        """The settings as sentences for a page."""
        opens = (
            f"Opens when {self.failure_ratio_bp / 100:g} % of at least {self.min_calls} calls within "
            f"{self.window_s} s fail. After {self.open_s} s it tries {self.half_open_calls} again."
        )
        if not self.fallbacks:
            return f"{opens} Meanwhile callers are told when to come back."
        order = ", then ".join(_WORDS[fallback] for fallback in self.fallbacks)
        if Fallback.CACHE in self.fallbacks:
            order += f" (cached for at most {self.cache_max_age_s} s)"
        return f"{opens} Meanwhile: {order}."


def check_fallback_models(body: Mapping[str, Any], roles: Collection[str]) -> None:
    """Whether a release that pins models in these roles has whom its config's breaker falls back to.

    Raises `InvalidInput` for `models.cheap`: at run time such a fallback would only ever be skipped.
    """
    settings = BreakerSettings.parse(body.get("breaker"))
    if settings is not None and Fallback.CHEAP in settings.fallbacks and Fallback.CHEAP.value not in roles:
        raise InvalidInput(
            "The config's breaker falls back to the cheap model: name a model for the role “cheap”, or take a config"
            " without that fallback.",
            field="models.cheap",
        )


def _fallback(name: str) -> Fallback | None:
    return Fallback(name) if name in frozenset(Fallback) else None


NUMBERS = ("failure_ratio_bp", "min_calls", "window_s", "open_s", "half_open_calls", "cache_max_age_s")
