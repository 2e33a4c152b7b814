"""The body of a serving config version: its schema, what the schema cannot say, and a dry run. Pure.

`on_withdraw` says what units get whose candidate was withdrawn; `safe_mode` is the deterministic answer of last resort;
`policy` filters outputs; `limits` bound one call; `breaker` says when a failing model is no longer asked and who answers
meanwhile; `capture` is the share of answers sent to review.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from promptstore.core.errors import InvalidInput
from registry.breaker import Fallback
from registry.policy import MAX_PATTERN_CHARS, MAX_PATTERNS, Policy, PolicyError, PolicyMode
from registry.rendering.analysis import analyse_template
from registry.rendering.errors import RenderError
from registry.rendering.render import compile_prompt
from registry.rendering.spec import Message, PromptSpec, Role
from registry.shapes import check_shape, document, text, whole

MAX_TEMPLATE_CHARS: Final = 20_000

LIMITS: Final = document(
    {
        "max_output_tokens": whole("the most tokens of one answer", low=1, high=1_000_000),
        "timeout_ms": whole("the longest time for one answer in milliseconds", low=100, high=600_000),
        "rate_per_s": whole("the most calls per second of this feature", low=1, high=1_000_000),
        "max_input_bytes": whole("the largest request in bytes", low=1_024, high=10_000_000),
    }
)
BREAKER: Final = document(
    {
        "failure_ratio_bp": whole("a share in basis points: 5000 is half of the calls", low=1, high=10_000),
        "min_calls": whole("the fewest calls that say something, up to 10000", low=1, high=10_000),
        "window_s": whole("how far back calls count, from 1 to 3600 seconds", low=1, high=3_600),
        "open_s": whole("how long it stays open, from 1 to 3600 seconds", low=1, high=3_600),
        "half_open_calls": whole("how many trial calls must succeed, from 1 to 100", low=1, high=100),
        "cache_max_age_s": whole("the oldest cached answer, from 1 to 86400 seconds", low=1, high=86_400),
        "fallbacks": {
            "type": "array",
            "uniqueItems": True,
            "description": "a list of cheap, cache and template in their order, each once",
            "items": {"enum": list(Fallback), "description": "cheap, cache or template"},
        },
    }
)
SCHEMA: Final = document(
    {
        "on_withdraw": {"enum": ["stable", "safe_mode"], "description": "stable or safe_mode"},
        "limits": LIMITS,
        "safe_mode": document(
            {
                "kind": {"const": "template", "description": "template"},
                "template": text("the text that is shown in safe mode", max_chars=MAX_TEMPLATE_CHARS),
            },
            required=("kind", "template"),
        ),
        "policy": document(
            {
                "mode": {"enum": list(PolicyMode), "description": "buffer, window or off"},
                "banned": {
                    "type": "array",
                    "maxItems": MAX_PATTERNS,
                    "items": document(
                        {
                            "id": text("a short name for reports", max_chars=80),
                            "pattern": text("a phrase, or /an expression/", max_chars=MAX_PATTERN_CHARS),
                        },
                        required=("id", "pattern"),
                    ),
                },
                "message": text("what is shown instead of a withheld answer", max_chars=2_000),
            }
        ),
        "breaker": BREAKER,
        "capture": document({"share_bp": whole("a share in basis points: 500 is 5 %", low=0, high=10_000)}),
    },
    required=("on_withdraw", "safe_mode"),
)


@dataclass(frozen=True)
class DryRun:
    """What a config would do: the safe-mode text for these variables, and the policy entries that an output hits."""

    safe_mode: str
    policy_hits: tuple[str, ...]
    withheld: bool
    shown: str


def check_config_body(body: object) -> dict[str, Any]:
    """The body itself, if it can be served. Raises `InvalidInput` naming the field, such as `body.policy.banned[2].pattern`."""
    check_shape(body, SCHEMA, field="body")
    assert isinstance(body, dict)
    _check_policy(body.get("policy") or {})
    _check_safe_mode(body["safe_mode"]["template"])
    return body


def dry_run(body: Mapping[str, Any], *, variables: Mapping[str, Any], output: str) -> DryRun:
    """Try a config that `check_config_body` accepted, with variables of a request and an output of a model.

    Raises `InvalidInput` when the variables do not fit the safe-mode template.
    """
    template = PromptSpec(messages=(Message(Role.ASSISTANT, body["safe_mode"]["template"]),))
    try:
        safe_mode = compile_prompt(template).render(dict(variables))[0]["content"]
    except RenderError as error:
        raise InvalidInput(error.message, code=error.code, field=error.field or "variables") from error
    policy = Policy.parse(body.get("policy") or {})
    hits = tuple(policy.check(output))
    return DryRun(safe_mode, hits, bool(hits), policy.replacement if hits else output)


def _check_policy(policy: Mapping[str, Any]) -> None:
    try:
        Policy.parse(policy)
    except PolicyError as error:
        raise InvalidInput(
            error.message, code="invalid_policy", field=f"body.policy.{error.field}"
        ) from error
    seen: set[str] = set()
    for index, entry in enumerate(policy.get("banned") or []):
        if entry["id"] in seen:
            raise InvalidInput(
                f"Another entry is already called {entry['id']}.",
                code="invalid_policy",
                field=f"body.policy.banned[{index}].id",
            )
        seen.add(entry["id"])


def _check_safe_mode(template: str) -> None:
    """Safe mode answers when nothing else can, so nothing in it may fail for want of a variable."""
    field = "body.safe_mode.template"
    analysis = analyse_template(template)
    faults = [
        {
            "field": field,
            "detail": item.message,
            "line": item.line,
            "column": item.column,
            "code": item.rule_id,
        }
        for item in analysis.findings
    ]
    faults += [
        {
            "field": field,
            "detail": f"{use.dotted} may be missing; write for example {{{{ {use.dotted} | default('') }}}}.",
            "line": use.line,
            "column": use.column,
            "code": "unguarded-variable",
        }
        for use in analysis.variables
        if not use.guarded
    ]
    if faults:
        first = faults[0]
        raise InvalidInput(
            f"Line {first['line']}, column {first['column']}: {first['detail']}",
            code="invalid_template",
            field=field,
            errors=faults,
        )
    try:
        compile_prompt(PromptSpec(messages=(Message(Role.ASSISTANT, template),))).render({})
    except RenderError as error:
        raise InvalidInput(error.message, code="invalid_template", field=field) from error
