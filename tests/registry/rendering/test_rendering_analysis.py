from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.rendering import PromptSpec, RenderError, Use, analyse_prompt, analyse_template, compile_prompt
from registry.rendering.json_values import JsonValue

BOMBS = [
    "{{ range(10**9) }}",
    '{{ "a"*10**9 }}',
    '{{ "a"|center(10**9) }}',
    '{{ "{:>999999999}".format(1) }}',
    "{{ 10**(10**7) }}",
    "{% set ns=namespace(s='x') %}" + "{% set ns.s = ns.s ~ ns.s %}" * 27,
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{{ x.save() }}",
    "{{ x|attr('__class__') }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ x['__class__'] }}",
    "{{ xs|map(attribute='__class__') }}",
    "{{ lipsum() }}",
    "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "{% if a %}" * 2_000 + "{% endif %}" * 2_000,
    "{{ " + "not " * 50_000 + "x }}",
    "{{ " + "-" * 50_000 + "x }}",
    "{{ x" + ".a" * 50_000 + " }}",
    "{{ x" + "|upper" * 30_000 + " }}",
    "{% if a %}{% elif a %}" + "{% elif a %}" * 200 + "{% endif %}",
    "{{ a }}" * 37_000,
    "{{ " + "9" * 100_000 + " }}",
    "{{ 1e999 }}",
    '{{ "\\ud800" }}',
    "{{ \x0c }}" * 3,
    "x" * 10_000_000,
    "{{ self }}",
    "{{ loop }}",
    "{{ ﬁ }}",
]


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_is_a_clear_finding_in_well_under_a_second(source: str) -> None:
    started = time.process_time()
    findings = analyse_template(source).findings
    assert findings
    assert time.process_time() - started < 0.8
    assert all(
        f.message and f.line and f.column and f.end_column and f.column < f.end_column for f in findings
    )


@pytest.mark.parametrize(
    ("source", "rule", "line", "column", "end_column"),
    [
        ("Dear {{ name", "template-syntax", 1, 9, 13),
        ("a\n  {{ x $ }}", "template-syntax", 2, 8, 9),
        ("a\r\nb\rc {{ x|center(9) }}", "not-in-subset", 3, 8, 14),
        ("{# never closed", "template-syntax", 1, 3, 4),
        ("ok {%- if a %}{% endif %}\n   {%- set b = 1 %}", "not-in-subset", 2, 8, 11),
        ("é😀 {{ a * b }}", "not-in-subset", 1, 7, 12),
        ("{{ a.b(1, 2) }}", "not-in-subset", 1, 4, 13),
        ("{{ x is not iterable }}", "not-in-subset", 1, 13, 21),
        ("{{ xs[1:2] }}", "not-in-subset", 1, 4, 11),
        ("{{ d[key] }}", "not-in-subset", 1, 4, 10),
        ("{% for i in [1,2] %}{% endfor %}", "not-in-subset", 1, 13, 18),
        ("{% for i in xs if i %}{% endfor %}", "not-in-subset", 1, 19, 20),
        ("{{ a if b }}", "not-in-subset", 1, 4, 10),
        ("{% endif %}", "template-syntax", 1, 4, 9),
        ("{{ x|replace('a', y) }}", "not-in-subset", 1, 6, 13),
        ("{{ x|truncate(nope=1) }}", "not-in-subset", 1, 6, 14),
        ("{{ (a|first)[0:1] }}", "not-in-subset", 1, 5, 18),
    ],
)
def test_a_finding_points_at_the_exact_place(
    source: str, rule: str, line: int, column: int, end_column: int
) -> None:
    first = analyse_template(source).findings[0]
    assert (first.rule_id, first.line, first.column, first.end_column) == (rule, line, column, end_column)


@pytest.mark.parametrize(
    "source",
    [
        "plain text, {% raw %}{{ not a tag }}{% endraw %} {# comment #}",
        "{{ a.b['c'][0].d }}",
        "{% if a and not b or c == 'x' %}1{% elif a is defined %}2{% else %}3{% endif %}",
        "{% for d in docs %}{{ loop.index }}{% for t in d.tags %}{{ t|upper }}{% endfor %}{% else %}-{% endfor %}",
        "{{ x if x > -1 else 'none' }}",
        "{% if k in ['a', 'b'] and 1 < n <= 9 %}y{% endif %}",
        "{{ a|default(b.c, true)|trim|truncate(10, end='…')|replace('x', 'y') }} {{ xs|join(', ') }}",
        "{{ order.items }}",
    ],
)
def test_the_subset_holds_what_prompts_need(source: str) -> None:
    assert analyse_template(source).findings == ()


def test_variables_come_with_path_use_and_position() -> None:
    source = (
        "{{ user.name }}{% for doc in docs %}\n{{ doc.title }}{% if doc.n > limit %}{% endif %}{% endfor %}"
    )
    found = [(v.dotted, v.use, v.line, v.column, v.end_column) for v in analyse_template(source).variables]
    assert found == [
        ("user.name", Use.OUTPUT, 1, 4, 13),
        ("docs", Use.LOOP, 1, 30, 34),
        ("docs[].title", Use.OUTPUT, 2, 4, 13),
        ("docs[].n", Use.CONDITION, 2, 22, 27),
        ("limit", Use.CONDITION, 2, 30, 35),
    ]


def test_a_guarded_use_is_known_as_such() -> None:
    variables = analyse_template("{{ a|default('') }}{% if b is defined %}{{ b }}{% endif %}").variables
    assert [(v.name, v.guarded) for v in variables] == [("a", True), ("b", True), ("b", False)]


def test_the_token_limit_spans_the_messages_of_a_prompt() -> None:
    messages = [{"role": "user", "content": "{{ a }}" * 1_900}] * 2
    first, second = analyse_prompt(PromptSpec.from_dict({"messages": messages}))
    assert not first.findings
    assert second.findings[0].rule_id == "template-too-complex"
    assert second.findings[0].message_index == 1


PIECES = """
{{␣ ␣}} {%␣ ␣%} {%-␣ ␣-%} {# #} {%␣raw␣%} ' " ␤ - ~ ( ) [0] é
if␣ for␣ in␣ else elif␣ endif endfor a b.c xs x 1 't' loop.index
|upper |join |default('q') |tojson |replace('a','aa') ␣is␣defined
not␣ ␣and␣ ␣==␣ {%␣for␣i␣in␣xs␣%} {%␣endfor␣%} {%␣if␣a␣%} {%␣endif␣%}
{{␣i␣}} {{␣a␣}} {{␣loop.first␣}} {{␣xs|length␣}} {{␣xs[-1]␣}}
"""
fragments = st.sampled_from([piece.replace("␣", " ").replace("␤", "\n") for piece in PIECES.split()])
sources = st.lists(fragments, max_size=25).map("".join) | st.text(max_size=60)
VALUES: dict[str, JsonValue] = {"a": "text", "b": {"c": 3}, "xs": [1, "two", {"x": None}], "x": True, "i": 1}


def outcome_of(render: Callable[[], object]) -> str:
    try:
        render()
    except RenderError as error:
        return error.code
    return "rendered"


@settings(max_examples=250, deadline=None)
@given(sources)
def test_no_text_crashes_the_analysis_and_what_passes_renders_within_its_budget(source: str) -> None:
    analysis = analyse_template(source)
    for finding in analysis.findings:
        lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert finding.line is not None
        assert finding.column is not None
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
    if analysis.in_subset and "\x00" not in source:
        prompt = compile_prompt(PromptSpec.from_dict({"messages": [{"role": "user", "content": source}]}))
        outcome = outcome_of(prompt.render(VALUES)[0]["content"].encode)
        # Values of the wrong kind are their caller's error; too much work or text must not happen here.
        assert outcome in {"rendered", "missing_variable", "type_mismatch"}
