from __future__ import annotations

from typing import Any

import pytest

from promptstore.core.errors import InvalidInput
from releases.rules import RuleAction, RuleSpec, RuleSyntaxError, Severity, read_rules, without_baselines


def document(**changes: Any) -> dict[str, Any]:
    return {
        "id": "policy-hits",
        "when": "policy_filter_rate > 0.5% for 10m",
        "severity": "P1",
        "action": "step",
        "min_samples": 200,
    } | changes


def test_a_rule_of_a_policy_is_read_and_written_back() -> None:
    spec = RuleSpec.from_dict(document())
    assert spec == RuleSpec(
        "policy-hits", "policy_filter_rate > 0.5% for 10m", Severity.P1, RuleAction.STEP, 200
    )
    assert spec.to_dict() == document()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "rules[0].id"),
        ({"id": "Policy Hits"}, "rules[0].id"),
        ({"id": "a" * 61}, "rules[0].id"),
        ({"id": "ok\n"}, "rules[0].id"),
        ({"when": "  "}, "rules[0].when"),
        ({"when": 7}, "rules[0].when"),
        ({"severity": "P5"}, "rules[0].severity"),
        ({"severity": ["P1"]}, "rules[0].severity"),
        ({"action": "stop"}, "rules[0].action"),
        ({"min_samples": 0}, "rules[0].min_samples"),
        ({"min_samples": True}, "rules[0].min_samples"),
        ({"min_samples": 1.5}, "rules[0].min_samples"),
        ({"note": "x"}, "rules[0].note"),
    ],
)
def test_a_bad_field_is_named_with_its_place(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rules([document(**changes)])
    assert caught.value.field == field


def test_a_missing_field_is_named() -> None:
    data = document()
    del data["action"]
    with pytest.raises(InvalidInput) as caught:
        RuleSpec.from_dict(data)
    assert caught.value.field == "action"


def test_a_rule_text_that_cannot_be_read_names_field_and_column() -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        read_rules([document(), document(id="other", when="policy_filter_rat > 1%")])
    assert (caught.value.field, caught.value.line, caught.value.column) == ("rules[1].when", 1, 1)


def test_two_rules_may_not_share_an_id() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rules([document(), document()])
    assert caught.value.field == "rules[1].id"


@pytest.mark.parametrize("data", [None, "x", {"rules": []}, 3])
def test_rules_must_be_a_list(data: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rules(data)
    assert caught.value.field == "rules"


@pytest.mark.parametrize("item", [None, "x", [1]])
def test_each_rule_must_be_an_object(item: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_rules([item])
    assert caught.value.field == "rules[0]"


def test_without_a_stable_arm_rules_keep_only_their_absolute_parts() -> None:
    rules = read_rules(
        [
            document(id="a", when="error_rate > 1% or error_rate worse than baseline by 5%"),
            document(id="b", when="error_rate worse than baseline by 5%"),
        ]
    )
    assert [(spec.id, spec.when) for spec in without_baselines(rules)] == [("a", "error_rate > 1%")]
