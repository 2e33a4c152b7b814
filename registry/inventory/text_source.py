"""Call sites of languages that are not parsed: SDK calls in scripts, and addresses of model APIs in all of them."""

from __future__ import annotations

import re
from itertools import islice

from registry.inventory.endpoints import model_api
from registry.inventory.governing import Gateways
from registry.inventory.lexing import Lexed
from registry.inventory.script_source import (
    PATTERNS,
    has_package,
    imported_packages,
    is_gateway_at,
    is_governed,
)
from registry.inventory.sites import CallSite, shortened
from registry.inventory.suppressions import reason_for, reason_in

SCRIPTS = frozenset({".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte"})
OTHERS = frozenset(
    {".go", ".java", ".kt", ".kts", ".scala", ".cs", ".rs", ".swift", ".php", ".rb", ".sh", ".bash"}
)
_HASH = frozenset({".php", ".rb", ".sh", ".bash"})
_JVM = (".java", ".kt", ".kts", ".scala")
# API, call, endings of the languages that write it so.
_ELSEWHERE = (
    (
        "openai chat",
        r"\.\s*(?:CreateChatCompletion(?:Stream)?|Chat\s*\.\s*Completions\s*\.\s*New(?:Streaming)?)\s*\(",
        (".go",),
    ),
    ("bedrock", r"\.\s*(?:InvokeModel|Converse|ConverseStream)\s*\(", (".go",)),
    ("openai chat", r"\.\s*chat\(\)\s*\.\s*completions\(\)\s*\.\s*create(?:Streaming)?\s*\(", _JVM),
    ("openai chat", r"\.\s*CompleteChat(?:Streaming)?(?:Async)?\s*\(", (".cs",)),
)
_FUNCTION = re.compile(
    r"\b(?:function\s*\*?|func(?:\s*\([^)]*\))?|fn|def|fun|class)\s+([A-Za-z_$][\w$]*)"
    r"|\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=\s*(?:async\s*)?(?:\([^()]{0,200}\)|[\w$]+)\s*(?::[^=\n]{1,60})?=>"
)
MAX_SITES_PER_FILE = 1_000
_CONTROL = "Send it through a gateway: set the base URL to Promptstore's serving address."
_OWN = ("@promptstore/client", "promptstore-client", "@promptstore/sdk")


def text_sites(source: str, path: str, suffix: str, gateways: Gateways) -> list[CallSite]:
    """Every place of the file that asks a model, in order."""
    lexed = Lexed(source, hash_comments=suffix in _HASH)
    found = _addresses(lexed, gateways)
    if suffix in SCRIPTS:
        found += _calls(lexed, gateways)
    found += [
        (match.start(), api, False)
        for api, pattern, suffixes in _ELSEWHERE
        if suffix in suffixes
        for match in re.finditer(pattern, lexed.code)
    ]
    if len(found) > MAX_SITES_PER_FILE:
        raise ValueError(f"more than {MAX_SITES_PER_FILE:,} calls in one file, as only generated code has")
    return _sites(source, path, lexed, sorted(set(found)))


def _calls(lexed: Lexed, gateways: Gateways) -> list[tuple[int, str, bool]]:
    imported = imported_packages(lexed)
    found = [
        (match.start(), pattern.api, is_governed(lexed, match.start(), gateways))
        for pattern in PATTERNS
        if not pattern.packages or has_package(imported, pattern.packages)
        for match in islice(pattern.call.finditer(lexed.code), MAX_SITES_PER_FILE + 1)
    ]
    if has_package(imported, _OWN):
        found += [
            (match.start(), "promptstore client", True)
            for match in re.finditer(r"\bnew\s+Promptstore\w*\s*\(", lexed.code)
        ]
    return found


def _addresses(lexed: Lexed, gateways: Gateways) -> list[tuple[int, str, bool]]:
    """Texts that are the address of a model API, or of a gateway's call."""
    found = []
    for text in lexed.texts:
        provider = model_api(text.value)
        if provider:
            found.append((text.start, f"http {provider}", False))
        elif gateways.is_model_url(text.value) or (
            text.value.startswith("${")
            and "/v1/chat/completions" in text.value
            and is_gateway_at(lexed, text.start, gateways)
        ):
            found.append((text.start, "http promptstore", True))
    return found


def _sites(source: str, path: str, lexed: Lexed, found: list[tuple[int, str, bool]]) -> list[CallSite]:
    if not found:
        return []
    reasons = {lexed.line(at): reason for at, text in lexed.comments if (reason := reason_in(text))}
    names = [(match.start(), match[1] or match[2]) for match in _FUNCTION.finditer(lexed.code)]
    lines = source.split("\n")
    sites = []
    for at, api, governed in found:
        line = lexed.line(at)
        sites.append(
            CallSite(
                path=path,
                line=line,
                column=lexed.column(at),
                symbol=next((name for start, name in reversed(names) if start < at), ""),
                api=api,
                snippet=shortened(lines[line - 1]),
                governed=governed,
                why="" if governed else _CONTROL,
                ignored=reason_for(reasons, line, line),
            )
        )
    return sites
