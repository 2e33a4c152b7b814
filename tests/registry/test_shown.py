from __future__ import annotations

from registry.policy import Policy
from registry.shown import everything_shown

POLICY = Policy.parse({"mode": "buffer", "banned": [{"id": "launch", "pattern": "launch code"}]})


def test_an_escape_in_json_does_not_hide_a_phrase() -> None:
    assert POLICY.check(everything_shown(r'{"answer": "the launch\u0020code is 7"}')) == ["launch"]


def test_json_inside_a_tool_call_is_opened() -> None:
    call = {"function": {"name": "say", "arguments": r'{"text": "launch\u0020code"}'}}
    assert POLICY.check(everything_shown("", [call])) == ["launch"]


def test_keys_are_looked_at_too() -> None:
    assert POLICY.check(everything_shown('{"launch code": 1}')) == ["launch"]


def test_plain_text_stays_as_it_is() -> None:
    assert everything_shown("hello") == "hello"
