from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from registry.rendering import PromptSpec, RenderError
from registry.rendering.pool import PreviewPool
from registry.rendering.preview import preview


@pytest.fixture(scope="module")
def pool() -> Iterator[PreviewPool]:
    pool = PreviewPool(size=2)
    yield pool
    pool.close()


def spec_of(content: str) -> PromptSpec:
    return PromptSpec.from_dict({"messages": [{"role": "user", "content": content}]})


def unchecked(pool: PreviewPool, content: str, timeout_s: float = 0.6) -> dict[str, Any]:
    request = {
        "messages": [["user", content]],
        "variables": {},
        "history": [],
        "checked": False,
        "timeout_s": timeout_s,
    }
    return pool.run(request, timeout_s=timeout_s)


def test_a_draft_renders_as_a_published_prompt_would(pool: PreviewPool) -> None:
    result = preview(
        spec_of("Hi {{ name }}{{ missing|default('!') }}"), {"name": "Ada"}, pool=pool, timeout_s=10
    )
    assert result.messages == ({"role": "user", "content": "Hi Ada!"},)
    assert result.error is None


@pytest.mark.parametrize(
    ("content", "variables", "code"),
    [
        ("a\n{{ name() }}", {}, "not_in_subset"),
        ("a\n{{ name }}", {}, "missing_variable"),
        ("{{ name }}", {"name": object()}, "invalid_value"),
        ("{{ name }}", "name", "invalid_value"),
        (
            "{% for x in name %}{% for y in name %}{{ x }}{% endfor %}{% endfor %}",
            {"name": [1] * 9_000},
            "too_much_work",
        ),
    ],
)
def test_a_draft_that_fails_says_why(pool: PreviewPool, content: str, variables: Any, code: str) -> None:
    result = preview(spec_of(content), variables, pool=pool, timeout_s=10)
    assert result.messages is None
    assert result.error is not None
    assert result.error.code == code


def test_the_place_of_an_error_survives_the_worker(pool: PreviewPool) -> None:
    error = preview(spec_of("a\n  {{ name() }}"), {}, pool=pool, timeout_s=10).error
    assert error is not None
    assert (error.message_index, error.line, error.column) == (0, 2, 6)


BOMBS = [
    ("{{ range(10**9) }}", "type_mismatch"),
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "timeout"),
    ('{{ "a"*10**9 }}', "out_of_memory"),
    ('{{ "a"*500000000 }}', "out_of_memory"),
    ('{{ "a"|center(10**9) }}', "out_of_memory"),
    ('{{ "{:>999999999}".format(1) }}', "out_of_memory"),
    ("{{ 10**(10**7) }}", "timeout"),
    (
        "{% set n=namespace(s='aaaaaaaaaa') %}" + "{% set n.s = n.s ~ n.s %}" * 27 + "{{ n.s }}",
        "out_of_memory",
    ),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "too_much_work"),
    ("{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}", "too_much_work"),
    ("{% if 1 %}" * 2_000 + "{% endif %}" * 2_000, "too_much_work"),
    ("{% include '/etc/passwd' %}", "type_mismatch"),
    ("{{ ().__class__.__mro__ }}", "type_mismatch"),
    ("{% for a in range(90000) %}" + "x" * 500 + "{% endfor %}", "output_too_large"),
]


@pytest.mark.parametrize(("content", "code"), BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_that_got_past_the_analysis_stops_at_the_limits_of_the_process(
    pool: PreviewPool, content: str, code: str
) -> None:
    unchecked(pool, "warm", timeout_s=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    try:
        answer = unchecked(pool, content)
        found = answer["error"]["code"]
    except RenderError as error:
        found = error.code
    # The machine may be busy: a limit that depends on memory or work may meet the clock first.
    assert found in {code, "timeout"}
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB, in this process
    assert unchecked(pool, "still {{ 1 }}", timeout_s=5)["messages"][0]["content"] == "still 1"


def test_a_killed_worker_is_replaced() -> None:
    pool = PreviewPool(size=1)
    try:
        assert preview(spec_of("a"), {}, pool=pool, timeout_s=10).messages
        first = pool._idle[0].pid
        os.kill(first, signal.SIGKILL)
        while pool._idle[0].alive:
            pass
        assert preview(spec_of("b"), {}, pool=pool, timeout_s=10).messages
        assert pool._idle[0].pid != first
    finally:
        pool.close()


def test_threads_share_the_pool_and_get_their_own_answers(pool: PreviewPool) -> None:
    answers: dict[int, str] = {}

    def work(number: int) -> None:
        result = preview(spec_of("{{ n }}"), {"n": number}, pool=pool, timeout_s=10)
        assert result.messages is not None
        answers[number] = result.messages[0]["content"]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: str(n) for n in range(12)}
    assert len(pool._idle) <= 2


def test_large_values_pass_through_the_pipes(pool: PreviewPool) -> None:
    result = preview(spec_of("{{ a }}"), {"a": "ü" * 900_000}, pool=pool, timeout_s=10)
    assert result.messages is not None
    assert len(result.messages[0]["content"]) == 900_000


def test_a_forked_child_does_not_use_its_parents_workers() -> None:
    script = """
import os
from registry.rendering.pool import shared_pool
from registry.rendering.preview import preview
from registry.rendering import PromptSpec
spec = PromptSpec.from_dict({"messages": [{"role": "user", "content": "{{ a }}"}]})
assert preview(spec, {"a": 1}, timeout_s=10).messages
parent = {worker.pid for worker in shared_pool()._idle}
child = os.fork()
if child == 0:
    ok = preview(spec, {"a": 2}, timeout_s=10).messages[0]["content"] == "2"
    mine = {worker.pid for worker in shared_pool()._idle}
    shared_pool().close()
    os._exit(0 if ok and not mine & parent else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert preview(spec, {"a": 3}, timeout_s=10).messages[0]["content"] == "3"
assert {worker.pid for worker in shared_pool()._idle} == parent
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_the_worker_starts_without_django_or_any_network_library() -> None:
    script = (
        "import sys, registry.rendering.worker;"
        "print([m for m in ('django', 'tiktoken', 'jsonschema', 'genai_prices', 'socket') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
