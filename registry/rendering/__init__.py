"""Prompt templates: parse, check, render, count, price, compare.

A pure package: no Django, no network, no database. Names are loaded when they are first used, so that the
preview worker starts with what rendering needs and nothing else. Two functions share their module's name
and are imported from there: `registry.rendering.lint.lint` and `registry.rendering.preview.preview`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from registry.rendering.analysis import TemplateAnalysis, analyse_prompt, analyse_template
    from registry.rendering.diff import MessageDiff, PromptDiff, Segment, SegmentKind, diff_specs, diff_texts
    from registry.rendering.errors import RenderError, SpecError
    from registry.rendering.findings import Finding, Severity
    from registry.rendering.lint import RULES, LintConfig, Rule, publish_blockers
    from registry.rendering.params import PromptParams, ResponseFormat
    from registry.rendering.preview import Preview
    from registry.rendering.prices import CostEstimate, ModelPrice, estimate_cost
    from registry.rendering.render import CompiledPrompt, compile_prompt
    from registry.rendering.schema_inference import infer_schema
    from registry.rendering.schemas import (
        DeclaredVariable,
        Problem,
        check_schema,
        declared_variables,
        validate,
    )
    from registry.rendering.spec import Message, PromptSpec, Role
    from registry.rendering.tokens import (
        TokenCount,
        TokenEncoding,
        count_message_tokens,
        count_tokens,
        encoding_for,
    )
    from registry.rendering.variables import Use, VariableUse
    from registry.rendering.versions import (
        Bump,
        BumpReason,
        VersionError,
        is_newer,
        next_version,
        parse_version,
        suggest_bump,
    )

_MODULES: Final[dict[str, tuple[str, ...]]] = {
    "analysis": ("TemplateAnalysis", "analyse_prompt", "analyse_template"),
    "diff": ("MessageDiff", "PromptDiff", "Segment", "SegmentKind", "diff_specs", "diff_texts"),
    "errors": ("RenderError", "SpecError"),
    "findings": ("Finding", "Severity"),
    "lint": ("RULES", "LintConfig", "Rule", "publish_blockers"),
    "params": ("PromptParams", "ResponseFormat"),
    "preview": ("Preview",),
    "prices": ("CostEstimate", "ModelPrice", "estimate_cost"),
    "render": ("CompiledPrompt", "compile_prompt"),
    "schema_inference": ("infer_schema",),
    "schemas": ("DeclaredVariable", "Problem", "check_schema", "declared_variables", "validate"),
    "spec": ("Message", "PromptSpec", "Role"),
    "tokens": ("TokenCount", "TokenEncoding", "count_message_tokens", "count_tokens", "encoding_for"),
    "variables": ("Use", "VariableUse"),
    "versions": (
        "Bump",
        "BumpReason",
        "VersionError",
        "is_newer",
        "next_version",
        "parse_version",
        "suggest_bump",
    ),
}
_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "RULES",
    "Bump",
    "BumpReason",
    "CompiledPrompt",
    "CostEstimate",
    "DeclaredVariable",
    "Finding",
    "LintConfig",
    "Message",
    "MessageDiff",
    "ModelPrice",
    "Preview",
    "Problem",
    "PromptDiff",
    "PromptParams",
    "PromptSpec",
    "RenderError",
    "ResponseFormat",
    "Role",
    "Rule",
    "Segment",
    "SegmentKind",
    "Severity",
    "SpecError",
    "TemplateAnalysis",
    "TokenCount",
    "TokenEncoding",
    "Use",
    "VariableUse",
    "VersionError",
    "analyse_prompt",
    "analyse_template",
    "check_schema",
    "compile_prompt",
    "count_message_tokens",
    "count_tokens",
    "declared_variables",
    "diff_specs",
    "diff_texts",
    "encoding_for",
    "estimate_cost",
    "infer_schema",
    "is_newer",
    "next_version",
    "parse_version",
    "publish_blockers",
    "suggest_bump",
    "validate",
]


def __getattr__(name: str) -> Any:
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
