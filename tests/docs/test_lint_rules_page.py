from __future__ import annotations

from registry.rendering import RULES
from tests.docs.markdown import page, rows


def test_every_lint_rule_is_documented_in_order_and_no_other() -> None:
    documented = [(name, *cells[1:]) for name, cells in rows(page("lint-rules.md")).items()]
    assert documented == [(rule.id, rule.severity.value, f"{rule.title}.") for rule in RULES]
