from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from registry.breaker import NUMBERS, BreakerSettings

_DEFAULTS: Final = BreakerSettings()


def _number(name: str, label: str, help_text: str) -> forms.IntegerField:
    shown = f"{help_text} Empty: {getattr(_DEFAULTS, name)}."
    return forms.IntegerField(required=False, min_value=1, label=label, help_text=shown)


class BreakerFields(forms.Form):
    """The circuit breaker of a serving config; an empty box means the default."""

    breaker = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Off: the model is always asked"),
            ("on", "On: stop asking a model that keeps failing"),
        ],
        label="Circuit breaker",
    )
    fallbacks = forms.CharField(
        required=False,
        max_length=80,
        label="Who answers meanwhile",
        help_text="In order, with commas: cheap (the release's cheap model), cache (the last good answer to the same"
        " input), template (the safe-mode answer). “none” tells callers to come back later. Empty: template.",
    )
    failure_ratio_bp = _number(
        "failure_ratio_bp", "Opens at failures of", "In basis points: 5000 is half of the calls."
    )
    min_calls = _number("min_calls", "Of at least", "Calls within the window.")
    window_s = _number("window_s", "Window", "In seconds.")
    open_s = _number("open_s", "Stays open for", "In seconds.")
    half_open_calls = _number("half_open_calls", "Trial calls", "All must succeed to close it again.")
    cache_max_age_s = _number("cache_max_age_s", "Oldest cached answer", "In seconds.")

    def breaker_body(self) -> dict[str, Any] | None:
        """The config's `breaker`, or None when it is off."""
        typed = self.cleaned_data
        if not typed["breaker"]:
            return None
        body: dict[str, Any] = {name: typed[name] for name in NUMBERS if typed[name] is not None}
        names = [name.strip() for name in typed["fallbacks"].split(",") if name.strip()]
        if names:
            body["fallbacks"] = [] if names == ["none"] else names
        return body


BREAKER_PLACES: Final[dict[str, str]] = {
    "body.breaker": "fallbacks",
    **{f"body.breaker.{name}": name for name in NUMBERS},
}


def breaker_initial(raw: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the boxes start with for the version after one with this `breaker`."""
    if raw is None:
        return {}
    fallbacks = raw.get("fallbacks")
    shown = "" if fallbacks is None else ", ".join(fallbacks) or "none"
    return {
        "breaker": "on",
        "fallbacks": shown,
        **{name: raw[name] for name in NUMBERS if name in raw},
    }
