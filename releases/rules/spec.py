"""A rule as a policy holds it: its text, and what a breach leads to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from promptstore.core.errors import InvalidInput
from releases.rules.errors import RuleSyntaxError
from releases.rules.fields import join, read_choice, read_int, read_list, read_object, read_text
from releases.rules.formatting import format_rule
from releases.rules.nodes import Rule, without_baseline
from releases.rules.parsing import parse

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}\Z")
_MAX_SAMPLES = 10_000_000
_MAX_RULES = 100


class Severity(StrEnum):
    """How bad the incident is that a breach opens; independent of what happens to the traffic."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class RuleAction(StrEnum):
    """`step`: roll back in steps. `cut`: take all traffic away at once. `hold`: do not go further up."""

    STEP = "step"
    CUT = "cut"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """`when` is the rule's text, `min_samples` (at least 1) what each arm needs in a window before it is
    judged.
    """

    id: str
    when: str
    severity: Severity
    action: RuleAction
    min_samples: int

    @property
    def rule(self) -> Rule:
        """The tree of `when`."""
        return parse(self.when)

    @classmethod
    def from_dict(cls, data: object, *, field: str = "") -> RuleSpec:
        """Read one rule of a policy; `field` is where it stands in the policy.

        Raises `InvalidInput`, or `RuleSyntaxError` for the text, with the field's path.
        """
        values = read_object(data, field, required=("id", "when", "severity", "action", "min_samples"))
        identifier = values["id"]
        if not isinstance(identifier, str) or not _ID.match(identifier):
            where = join(field, "id")
            raise InvalidInput(
                f"{where} must be 1 to 60 of a-z, 0-9, “_” and “-”, such as policy-hits.", field=where
            )
        when = read_text(values["when"], join(field, "when"))
        try:
            parse(when)
        except RuleSyntaxError as error:
            raise error.in_field(join(field, "when")) from None
        return cls(
            id=identifier,
            when=when,
            severity=read_choice(values["severity"], join(field, "severity"), Severity),
            action=read_choice(values["action"], join(field, "action"), RuleAction),
            min_samples=read_int(
                values["min_samples"], join(field, "min_samples"), minimum=1, maximum=_MAX_SAMPLES
            ),
        )

    def to_dict(self) -> dict[str, str | int]:
        """Plain JSON values; `from_dict` reads them back."""
        return {
            "id": self.id,
            "when": self.when,
            "severity": self.severity.value,
            "action": self.action.value,
            "min_samples": self.min_samples,
        }


def read_rules(data: object, *, field: str = "rules") -> tuple[RuleSpec, ...]:
    """Read a policy's list of rules; raises `InvalidInput` also where two share an id."""
    items = read_list(data, field)
    if len(items) > _MAX_RULES:
        raise InvalidInput(f"{field} holds at most {_MAX_RULES} rules.", field=field)
    specs: dict[str, RuleSpec] = {}
    for index, item in enumerate(items):
        spec = RuleSpec.from_dict(item, field=f"{field}[{index}]")
        if spec.id in specs:
            raise InvalidInput(f"The id “{spec.id}” is taken by another rule.", field=f"{field}[{index}].id")
        specs[spec.id] = spec
    return tuple(specs.values())


def without_baselines(rules: Sequence[RuleSpec]) -> tuple[RuleSpec, ...]:
    """The rules that apply where no stable arm takes traffic, each reduced to what can still breach."""
    reduced = ((spec, without_baseline(spec.rule)) for spec in rules)
    return tuple(replace(spec, when=format_rule(rule)) for spec, rule in reduced if rule is not None)
