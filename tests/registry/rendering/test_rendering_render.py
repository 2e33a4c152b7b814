from __future__ import annotations

import resource
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from registry.rendering import PromptSpec, RenderError, compile_prompt
from registry.rendering.json_values import JsonValue
from registry.rendering.render import _cache


def spec_of(*contents: str, role: str = "user") -> PromptSpec:
    return PromptSpec.from_dict({"messages": [{"role": role, "content": content} for content in contents]})


def render(source: str, **variables: Any) -> str:
    text = compile_prompt(spec_of(source)).render(variables)[0]["content"]
    assert isinstance(text, str)
    return text


def failure(source: str, **variables: Any) -> RenderError:
    with pytest.raises(RenderError) as caught:
        render(source, **variables)
    return caught.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello {{ name }}!\n", "Hello Ada!\n"),
        ("{{ name|upper }} {{ name|lower }} {{ name|length }} {{ 'a b'|title }}", "ADA ada 3 A B"),
        (
            "{% for x in xs %}{{ loop.index }}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}",
            "11,22,33",
        ),
        ("{{ xs|join('-') }} {{ xs|first }} {{ xs|last }}", "1-2-3 1 3"),
        ("{{ xs }} {{ yes }} {{ nothing }} {{ order }}", '[1, 2, 3] true null {"items": "mine"}'),
        ("{{ order.items }} {{ order['items'] }}", "mine mine"),
        ("{{ missing|default('d') }} {{ missing is defined }}", "d false"),
        ("{{ '' | default('e', true) }}", "e"),
        ("{{ 'a<b'|e }} {{ 'a<b' }} {{ 'é\"'|tojson }}", 'a&lt;b a<b "é\\""'),
        ("{% if 1 < xs[0] or 2 in xs and name in ['Ada'] %}y{% else %}n{% endif %}", "y"),
        ("{{ 'one two three'|truncate(7) }} {{ 'x-y'|replace('-', '+') }}", "one... x+y"),
        ("{% for k in order %}{{ k }}{% endfor %}", "items"),
        ("{{ xs[-1] }} {{ 'A' if yes else 'B' }} {{ '  t '|trim }}", "3 A t"),
    ],
)
def test_templates_render(source: str, expected: str) -> None:
    values = {"name": "Ada", "xs": [1, 2, 3], "yes": True, "nothing": None, "order": {"items": "mine"}}
    assert render(source, **values) == expected


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        ("ok\n{{ missing }}", "missing_variable", 2, 4),
        ("{{ user.age }}", "missing_variable", 1, 8),
        ("{{ xs[7] }}", "missing_variable", 1, 6),
        ("{{ empty|first }}", "missing_variable", 1, 10),
        ("{% for x in name %}{% endfor %}", "type_mismatch", 1, 4),
        ("{% if name > 3 %}{% endif %}", "type_mismatch", 1, 4),
        ("{% if xs == xs %}{% endif %}", "type_mismatch", 1, 4),
        ("{{ name|join }}", "type_mismatch", 1, 9),
        ("{{ 3|length }}", "type_mismatch", 1, 6),
        ("{% if missing %}{% endif %}", "missing_variable", 1, 4),
    ],
)
def test_an_error_has_a_code_and_a_place(source: str, code: str, line: int, column: int) -> None:
    error = failure(source, name="Ada", user={}, xs=[1], empty=[])
    assert (error.code, error.message_index, error.line, error.column) == (code, 0, line, column)


def test_an_error_names_the_missing_variable_and_the_message() -> None:
    with pytest.raises(RenderError, match="“topic” is missing") as caught:
        compile_prompt(spec_of("fine", "{{ topic }}")).render({})
    assert caught.value.message_index == 1


class Order:
    secret = "s3cret"

    def save(self) -> str:
        raise AssertionError("a template ran a method")

    def __str__(self) -> str:
        raise AssertionError("a template printed a live object")


@pytest.mark.parametrize(
    "value", [Order(), [Order()], {"a": Order()}, float("nan"), (1, 2), "\x00", "\ud800", 1 << 300]
)
def test_only_plain_json_values_reach_a_template(value: Any) -> None:
    error = failure("{{ x }}", x=value)
    assert error.code == "invalid_value"
    assert error.field is not None
    assert error.field.startswith("x")


def test_a_template_outside_the_subset_is_never_compiled() -> None:
    with pytest.raises(RenderError) as caught:
        compile_prompt(spec_of("fine", 'x\n{{ "a" * 500000000 }}'))
    assert (caught.value.code, caught.value.message_index, caught.value.line) == ("not_in_subset", 1, 2)


LONG = list(range(9_000))


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("{% for a in x %}{% for b in x %}{{ a }}{% endfor %}{% endfor %}", {"x": LONG}),
        ("{% for a in x %}" + "{% if a in x %}{% endif %}" * 300 + "{% endfor %}", {"x": LONG}),
        ("{% for a in x %}" + "{% if y %}{% endif %}" * 900 + "{% endfor %}", {"x": LONG, "y": 0}),
        ("{{ x" + "|tojson" * 40 + " }}", {"x": '"' * 100}),
        ("{{ x" + "|replace('a', 'aaaaaaaaaa')" * 15 + " }}", {"x": "a"}),
        ("{{ x" + "|e" * 50 + " }}", {"x": "&" * 200_000}),
        ("{% for a in x %}{{ y|title|length }}{% endfor %}", {"x": LONG, "y": "a b " * 200_000}),
        ("{% for a in x %}{{ y|tojson|length }}{% endfor %}", {"x": LONG, "y": [1.5, 2] * 30_000}),
        ("{% for a in x %}{{ y }}{% endfor %}", {"x": LONG, "y": "z" * 900_000}),
        ("{% for a in x %}" + "t" * 200_000 + "{% endfor %}", {"x": LONG}),
        ("{{ x|join('" + "-" * 2_000 + "') }}", {"x": LONG}),
    ],
)
def test_a_template_of_the_subset_cannot_explode(source: str, values: dict[str, Any]) -> None:
    prompt = compile_prompt(spec_of(source))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(RenderError) as caught:
        prompt.render(values)
    elapsed = time.process_time() - started
    grown_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert caught.value.code in {"too_much_work", "output_too_large"}
    assert elapsed < 1.5
    assert grown_kilobytes < 60_000


def test_history_takes_the_place_of_its_message_and_is_not_a_template() -> None:
    spec = PromptSpec.from_dict(
        {
            "messages": [
                {"role": "system", "content": "S {{ a }}"},
                {"role": "history"},
                {"role": "user", "content": "now"},
            ]
        }
    )
    turn: dict[str, JsonValue] = {"role": "assistant", "content": "{{ a }}", "tool_calls": []}
    rendered = compile_prompt(spec).render({"a": 1}, [turn])
    assert [m["content"] for m in rendered] == ["S 1", "{{ a }}", "now"]
    assert rendered[1] == turn
    assert compile_prompt(spec_of("x")).render({}, [turn])[-1] == turn


@pytest.mark.parametrize(
    ("history", "field"),
    [
        ([{"role": "root", "content": "x"}], "history[0].role"),
        ([{"content": "x"}], "history[0].role"),
        (["x"], "history[0].role"),
        ([{"role": ["user"]}], "history[0].role"),
        ([{"role": "user", "content": Order()}], "history[0].content"),
    ],
)
def test_a_history_that_is_no_conversation_is_refused(history: list[Any], field: str) -> None:
    with pytest.raises(RenderError) as caught:
        compile_prompt(spec_of("x")).render({}, history)
    assert (caught.value.code, caught.value.field) == ("invalid_value", field)


def test_equal_prompts_share_one_compiled_prompt_and_the_cache_is_bounded() -> None:
    assert compile_prompt(spec_of("same {{ a }}")) is compile_prompt(spec_of("same {{ a }}"))
    for number in range(530):
        compile_prompt(spec_of(f"{number}"))
    assert len(_cache) <= 512


def test_many_threads_render_one_prompt_without_mixing_values() -> None:
    prompt = compile_prompt(spec_of("{% for x in xs %}{{ x }}{% endfor %}"))
    wrong: list[str] = []

    def work(number: int) -> None:
        for _ in range(50):
            text = prompt.render({"xs": [number] * 20})[0]["content"]
            if text != str(number) * 20:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


plain = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)


@settings(max_examples=100, deadline=None)
@given(a=plain, b=st.integers(-(2**60), 2**60), xs=st.lists(plain, max_size=4))
def test_text_and_numbers_render_as_stock_jinja_renders_them(a: str, b: int, xs: list[str]) -> None:
    source = "{{ a }}|{{ b }}|{% for x in xs %}{{ loop.index }}{{ x }}{% endfor %}{{ xs|join(',') }}{{ a|upper|trim }}"
    stock = Environment(keep_trailing_newline=True).from_string(source)
    assert render(source, a=a, b=b, xs=xs) == stock.render(a=a, b=b, xs=xs)
