"""An environment's policy: what a promotion must pass, who decides, how fast it may go. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promptstore.core.errors import InvalidInput
from promptstore.core.permissions import Role
from releases.decide import DEFAULT_ROLLBACK_INTERVAL_S
from releases.plans import EnvironmentKind, Plan, validate_plan, validate_rules
from releases.rules.spec import RuleSpec, read_rules

# In the order in which they run: what costs little comes first.
GATES = ("static", "smoke", "functional", "quality", "danger")
# What failed before is asked again in every promotion; no policy can do without it.
ALWAYS = ("danger",)
_IN_PRODUCTION = ("static", "smoke")
_KNOWN = {
    "gates",
    "gate_params",
    "quorum",
    "approver_roles",
    "requires_live_in",
    "plan",
    "rules",
    "rollback_interval_s",
    "expires_after_h",
    "note",
}


@dataclass(frozen=True)
class Policy:
    """`plan` is `None` where a release goes live whole after its gates (staging). `quorum` 0 asks nobody.

    `gates` are in their order, with those that no policy can leave out.
    """

    gates: tuple[str, ...]
    quorum: int
    approver_roles: frozenset[Role]
    plan: Plan | None
    rules: tuple[RuleSpec, ...]
    requires_live_in: str | None = None
    rollback_interval_s: int = DEFAULT_ROLLBACK_INTERVAL_S
    expires_after_h: int = 72
    gate_params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    note: str = ""

    @classmethod
    def from_dict(cls, body: Mapping[str, Any], *, kind: EnvironmentKind) -> Policy:
        """Read and check a policy; raises `InvalidInput` that names the field.

        Production needs a quorum of at least one, the gates static and smoke, a plan with a canary, and rules that measure
        latency, cost, policy hits and correctness (R31).
        """
        unknown = sorted(set(body) - _KNOWN)
        if unknown:
            raise InvalidInput(
                f"A policy has no “{unknown[0]}”. Known: {', '.join(sorted(_KNOWN))}.", field=unknown[0]
            )
        policy = cls(
            gates=_gates(body.get("gates", list(_IN_PRODUCTION))),
            quorum=_number(body, "quorum", default=1, low=0, high=10),
            approver_roles=_roles(body.get("approver_roles", ["approver", "owner"])),
            plan=Plan.from_dict(body["plan"], field="plan") if body.get("plan") is not None else None,
            rules=read_rules(body.get("rules", [])),
            requires_live_in=_text(body, "requires_live_in") or None,
            rollback_interval_s=_number(
                body, "rollback_interval_s", default=DEFAULT_ROLLBACK_INTERVAL_S, low=1, high=86_400
            ),
            expires_after_h=_number(body, "expires_after_h", default=72, low=1, high=24 * 90),
            gate_params=_gate_params(body.get("gate_params", {})),
            note=_text(body, "note"),
        )
        policy.check(kind)
        return policy

    def check(self, kind: EnvironmentKind) -> None:
        """Raise `InvalidInput` unless the policy is allowed for this kind of environment."""
        if self.plan is not None:
            validate_plan(self.plan, kind)
        if kind is not EnvironmentKind.PRODUCTION:
            return
        if self.plan is None:
            raise InvalidInput("Production needs a plan that begins with a canary.", field="plan")
        if self.quorum < 1:
            raise InvalidInput("Production needs the approval of at least one person.", field="quorum")
        missing = [gate for gate in _IN_PRODUCTION if gate not in self.gates]
        if missing:
            raise InvalidInput(f"Production cannot go without the {missing[0]} gate.", field="gates")
        validate_rules(self.rules)


def _gates(value: Any) -> tuple[str, ...]:
    if (
        not isinstance(value, list)
        or any(gate not in GATES for gate in value)
        or len(set(value)) != len(value)
    ):
        raise InvalidInput(f"gates is a list of {', '.join(GATES)}, each at most once.", field="gates")
    return tuple(gate for gate in GATES if gate in value or gate in ALWAYS)


def _roles(value: Any) -> frozenset[Role]:
    try:
        roles = frozenset(Role(role) for role in value)
    except (TypeError, ValueError):
        roles = frozenset()
    if not roles or not roles <= {Role.APPROVER, Role.OWNER}:
        raise InvalidInput("approver_roles names approver, owner or both.", field="approver_roles")
    return roles


def _number(body: Mapping[str, Any], name: str, *, default: int, low: int, high: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(f"{name} is a whole number from {low} to {high}.", field=name)
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > 2_000:
        raise InvalidInput(f"{name} is a text of at most 2,000 characters.", field=name)
    return value


def _gate_params(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, dict) or any(
        gate not in GATES or not isinstance(params, dict) for gate, params in value.items()
    ):
        raise InvalidInput("gate_params maps a gate's name to its parameters.", field="gate_params")
    return value
