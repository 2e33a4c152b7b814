from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from registry.forms.breaker import BREAKER_PLACES, BreakerFields, breaker_initial
from registry.forms.json_text import JSONTextField, pretty
from registry.policy import PolicyMode

LIMITS: Final = ("max_output_tokens", "timeout_ms", "rate_per_s", "max_input_bytes")
PLACES: Final[dict[str, str]] = {
    **{f"body.limits.{name}": name for name in LIMITS},
    "body.on_withdraw": "on_withdraw",
    "body.safe_mode": "template",
    "body.policy.mode": "policy_mode",
    "body.policy.message": "policy_message",
    "body.policy": "banned",
    "body.capture": "share_bp",
    **BREAKER_PLACES,
    "body": "json_body",
    "output": "sample_output",
    "variables": "sample_variables",
}


def _limit(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, label=label, help_text=help_text)


class ConfigForm(BreakerFields):
    """A serving config, as boxes or as JSON: text in the JSON box wins."""

    name = forms.CharField(max_length=80, help_text="What releases call it.")
    on_withdraw = forms.ChoiceField(
        choices=[("stable", "The stable release"), ("safe_mode", "Safe mode")],
        label="After a withdrawal, units get",
        help_text="When a candidate is rolled back, those who had it get this until the incident is mitigated.",
    )
    template = forms.CharField(
        label="Safe-mode answer",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown when no model may answer. A template; every variable needs a default.",
        required=False,
    )
    max_output_tokens = _limit("Longest answer", "In tokens.")
    timeout_ms = _limit("Longest wait", "In milliseconds.")
    rate_per_s = _limit("Most calls", "Per second.")
    max_input_bytes = _limit("Largest request", "In bytes.")
    policy_mode = forms.ChoiceField(
        choices=[(mode.value, mode.promise) for mode in PolicyMode],
        label="Policy filter",
        help_text="Answers that are not streamed are always checked whole, unless it is off.",
    )
    banned = forms.CharField(
        required=False,
        label="Banned in answers",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One a line: a name, a colon, and a phrase or /an expression/ whose repeats are bounded.",
    )
    policy_message = forms.CharField(
        required=False, max_length=2000, label="Shown instead of a withheld answer"
    )
    share_bp = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10_000,
        label="Share of answers for review",
        help_text="In basis points: 500 is 5 %.",
    )
    json_body = JSONTextField(label="As JSON", rows=12, help_text="Fill this in to replace everything above.")
    version = forms.CharField(required=False, max_length=80, help_text="Empty: the next minor version.")
    changelog = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2}), label="What changed"
    )
    sample_variables = JSONTextField(
        label="Variables of a request", rows=2, help_text="For the trial, as JSON."
    )
    sample_output = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="An answer of the model",
        help_text="For the trial.",
    )

    def clean_banned(self) -> list[dict[str, str]]:
        entries = []
        for number, line in enumerate(self.cleaned_data["banned"].splitlines(), start=1):
            if not line.strip():
                continue
            name, colon, pattern = line.partition(":")
            if not colon or not name.strip() or not pattern.strip():
                raise forms.ValidationError(
                    f"Line {number}: write a name, a colon and a phrase, such as “secrets: root password”."
                )
            entries.append({"id": name.strip(), "pattern": pattern.strip()})
        return entries

    def body(self) -> Any:
        """The config body, from the JSON box or from the others."""
        typed = self.cleaned_data
        if typed["json_body"] is not None:
            return typed["json_body"]
        body: dict[str, Any] = {
            "on_withdraw": typed["on_withdraw"],
            "limits": {name: typed[name] for name in LIMITS if typed[name] is not None},
            "safe_mode": {"kind": "template", "template": typed["template"]},
            "policy": {"mode": typed["policy_mode"], "banned": typed["banned"]},
        }
        if typed["policy_message"]:
            body["policy"]["message"] = typed["policy_message"]
        if typed["share_bp"] is not None:
            body["capture"] = {"share_bp": typed["share_bp"]}
        breaker = self.breaker_body()
        if breaker is not None:
            body["breaker"] = breaker
        return body


def initial_of(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the form starts with for the version after `body`."""
    policy = body.get("policy") or {}
    return {
        "name": name,
        "on_withdraw": body["on_withdraw"],
        "template": body["safe_mode"]["template"],
        "policy_mode": policy.get("mode", "buffer" if policy.get("banned") else "off"),
        "banned": "\n".join(f"{entry['id']}: {entry['pattern']}" for entry in policy.get("banned") or []),
        "policy_message": policy.get("message", ""),
        "share_bp": (body.get("capture") or {}).get("share_bp"),
        **{key: value for key, value in (body.get("limits") or {}).items() if key in LIMITS},
        **breaker_initial(body.get("breaker")),
    }


def as_json(body: Mapping[str, Any]) -> str:
    """A body to read."""
    return pretty(dict(body))
