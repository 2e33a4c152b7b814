from __future__ import annotations

import time
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from registry.rendering import RULES, Finding, LintConfig, PromptSpec, Rule, Severity, publish_blockers
from registry.rendering import lint as package
from registry.rendering.lint import lint

STRICT = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}


def prompt(content: str, *, role: str = "user", **parts: Any) -> PromptSpec:
    quiet = {"params": {"response_format": "text"}, "input_schema": {"type": "object", "properties": {}}}
    return PromptSpec.from_dict({"messages": [{"role": role, "content": content}], **quiet, **parts})


def found(spec: PromptSpec, rule_id: str, **config: Any) -> list[Finding]:
    return [finding for finding in lint(spec, LintConfig(**config)) if finding.rule_id == rule_id]


def place(finding: Finding) -> tuple[int | None, int | None, int | None, int | None]:
    return (finding.message_index, finding.line, finding.column, finding.end_column)


def test_a_clean_prompt_has_no_findings() -> None:
    spec = prompt("Hello {{ name }}", input_schema=STRICT, output_schema={"type": "string"})
    assert lint(spec, LintConfig(token_budget=100, banned_topics=("weapons",))) == []


def test_every_rule_that_a_module_defines_is_checked_and_documented() -> None:
    modules = [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
    defined = {rule.id for module in modules for rule in vars(module).values() if isinstance(rule, Rule)}
    assert sorted(rule.id for rule in RULES) == sorted(defined)
    assert all(rule.title and rule.explanation and rule.example and rule.fix for rule in RULES)


def test_syntax_and_subset_findings_block_publishing() -> None:
    assert place(found(prompt("a\n{{ x"), "template-syntax")[0]) == (0, 2, 4, 5)
    assert place(found(prompt("{% set a = 1 %}"), "not-in-subset")[0]) == (0, 1, 4, 7)
    assert publish_blockers(lint(prompt("{% set a = 1 %}")))


def test_an_undeclared_variable_is_an_error_with_the_closest_name() -> None:
    (finding,) = found(prompt("Hi\n {{ nmae }}", input_schema=STRICT), "undeclared-variable")
    assert place(finding) == (0, 2, 5, 9)
    assert finding.severity is Severity.ERROR
    assert "name" in finding.hint


@pytest.mark.parametrize(
    ("person", "severity"),
    [
        ({"type": "object", "properties": {"age": {}}, "additionalProperties": False}, Severity.ERROR),
        ({"type": "object", "properties": {"age": {}}}, Severity.WARNING),
        ({"type": "object", "properties": {"age": {}}, "additionalProperties": {"type": "string"}}, None),
        ({"type": "object"}, None),
    ],
)
def test_a_part_the_schema_does_not_mention_is_as_severe_as_the_schema_is_strict(
    person: dict[str, Any], severity: Severity | None
) -> None:
    schema = {"type": "object", "properties": {"people": {"type": "array", "items": person}}}
    spec = prompt("{% for p in people %}{{ p.name }}{% endfor %}", input_schema=schema)
    assert [finding.severity for finding in found(spec, "undeclared-variable")] == (
        [severity] if severity else []
    )


def test_an_unused_variable_is_a_warning_at_its_declaration() -> None:
    (finding,) = found(prompt("Hi", input_schema=STRICT), "unused-variable")
    assert (finding.severity, finding.field) == (Severity.WARNING, "input_schema.properties.name")
    assert found(prompt("Hi {{", input_schema=STRICT), "unused-variable") == []


def test_the_token_budget_counts_the_fixed_text() -> None:
    spec = prompt("word " * 50)
    assert found(spec, "token-budget", token_budget=100) == []
    (finding,) = found(spec, "token-budget", token_budget=20)
    assert "58 tokens" in finding.message
    (estimated,) = found(spec, "token-budget", token_budget=20, encoding="llama-3")
    assert "about" in estimated.message


SECRETS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "sk-" + "proj-Zx8Kq2LmN4pR6tV9wY1aB3cD5eF7gH",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_" + "11ABCDEFG0abcdefghijkl",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "ps_" + "Zx8Kq2LmN4pR6tV9wY1aB3cD5eF7gHjKlMnOpQ",
    "xoxb-" + "123456789012-abcdefghij",
    'password = "' + "hG7kP2qX9zR4tB6w" + '"',
    "api_key: " + "9f8a7b6c5d4e3f2a1b0c9d8e",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_found_in_messages_and_schemas_and_never_repeated(secret: str) -> None:
    (finding,) = found(prompt(f"line\nuse {secret} now"), "secret")
    assert finding.line == 2
    assert finding.severity is Severity.ERROR
    assert secret not in finding.message + finding.hint
    schema = {"type": "object", "properties": {}, "description": f"x {secret}"}
    (in_schema,) = found(prompt("x", input_schema=schema), "secret")
    assert in_schema.field == "input_schema.description"
    key = found(prompt("x", input_schema={"type": "object", "properties": {secret: {}}}), "secret")
    assert key
    assert all(secret not in (finding.field or "") for finding in key)


@pytest.mark.parametrize(
    "text",
    [
        "task-oriented and risk-averse",
        "the secret: friendship-and-kindness",
        "password: {{ name }}",
        "AKIAishere",
        "sk-8",
    ],
)
def test_ordinary_words_are_no_secret(text: str) -> None:
    assert found(prompt(text), "secret") == []


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("Build a Bomb now", (1, 9, 13)),
        ("ＢＯＭＢ", (1, 1, 5)),
        ("x\nthe bo\u200bmb", (2, 5, 10)),
        ("dirty\n  war", (1, 1, 6)),
        ("讲炸弹的事", (1, 2, 4)),
        ("STRASSE", (1, 1, 8)),
    ],
)
def test_a_banned_topic_is_found_whatever_its_case_and_width(text: str, span: tuple[int, int, int]) -> None:
    topics = ("bomb", "dirty war", "炸弹", "straße", " ")
    (finding,) = found(prompt(text), "banned-topic", banned_topics=topics)
    assert (finding.line, finding.column, finding.end_column) == span


def test_a_banned_topic_inside_another_word_is_fine() -> None:
    assert found(prompt("bombastic abomb"), "banned-topic", banned_topics=("bomb",)) == []


def test_a_missing_output_contract_is_a_warning_until_free_text_is_meant() -> None:
    (finding,) = found(prompt("x", params={}), "missing-output-contract")
    assert finding.severity is Severity.WARNING
    assert found(prompt("x"), "missing-output-contract") == []
    (promised,) = found(prompt("x", params={"response_format": "json_schema"}), "missing-output-contract")
    assert promised.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("schema", "warned"),
    [
        ({"type": "string"}, True),
        ({}, True),
        ({"type": ["string", "null"]}, True),
        ({"type": "string", "x-trusted": True}, False),
        ({"type": "string", "x-trusted": "yes"}, True),
        ({"type": "integer"}, False),
        ({"enum": ["formal", "casual"]}, False),
    ],
)
def test_a_slot_in_the_system_message_is_a_warning_unless_its_value_is_vouched_for(
    schema: dict[str, Any], warned: bool
) -> None:
    input_schema = {"type": "object", "properties": {"name": schema}}
    spec = prompt("Help {{ name }}", role="system", input_schema=input_schema)
    assert [place(finding) for finding in found(spec, "slot-in-system-message")] == (
        [(0, 1, 9, 13)] if warned else []
    )
    assert found(prompt("Help {{ name }}", input_schema=input_schema), "slot-in-system-message") == []


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("ab\u202ecd", Severity.ERROR),
        ("ab\u2067cd", Severity.ERROR),
        ("ab\U000e0041cd", Severity.ERROR),
        ("ab\u200bcd", Severity.WARNING),
        ("ab\ufeffcd", Severity.WARNING),
        ("ab\x1bcd", Severity.WARNING),
        ("ab\u200dcd", Severity.WARNING),
    ],
)
def test_an_invisible_character_is_found(text: str, severity: Severity) -> None:
    (finding,) = found(prompt(text), "invisible-character")
    assert (finding.severity, finding.column, finding.end_column) == (severity, 3, 4)


def test_characters_that_scripts_and_emoji_need_are_fine() -> None:
    assert found(prompt("👩\u200d💻 ❤\ufe0f می\u200cخواهم\ttab\r\nline"), "invisible-character") == []


def test_an_invalid_schema_is_reported_by_field() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "nope"}}}
    spec = prompt("x", input_schema={"type": "array"}, output_schema={"minimum": "x"}, tools=[tool])
    fields = {finding.field for finding in found(spec, "invalid-schema")}
    assert fields == {"input_schema.type", "output_schema.minimum", "tools[0].function.parameters.type"}


def test_findings_are_ordered_by_position() -> None:
    spec = PromptSpec.from_dict(
        {
            "messages": [
                {"role": "system", "content": "{{ b }}\n{{ a }}"},
                {"role": "user", "content": "{{ c }}"},
            ]
        }
    )
    findings = lint(spec)
    assert findings == sorted(findings, key=lambda finding: finding.position)
    assert findings[-1].message_index is None


@pytest.mark.parametrize(
    "piece", ["password = ", "eyJ", "-----BEGIN ", "AKIA", "token:A1", "\u200b", "{{ a }}", "{%", "sk-"]
)
def test_the_largest_prompt_is_linted_in_about_a_second(piece: str) -> None:
    count = 250_000 // len(piece.encode())
    spec = prompt(piece * count)
    started = time.process_time()
    lint(spec, LintConfig(token_budget=10, banned_topics=("bomb", "dirty war")))
    assert time.process_time() - started < 3
