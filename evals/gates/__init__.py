"""The gates. A new one is a package beside its neighbours and a line in `GATES`."""

from __future__ import annotations

from typing import Final

from evals.gates import danger, smoke, static, suite
from evals.gates.base import Gate, GateSubject, Judgement
from promptstore.core.errors import InvalidInput

__all__ = ["GATES", "Gate", "GateSubject", "Judgement", "gate_by_name"]

GATES: Final[tuple[Gate, ...]] = (static.GATE, smoke.GATE, suite.FUNCTIONAL, suite.QUALITY, danger.GATE)


def gate_by_name(name: str) -> Gate:
    """The gate called `name`; raises `InvalidInput("unknown_gate")`."""
    for gate in GATES:
        if gate.name == name:
            return gate
    known = ", ".join(gate.name for gate in GATES)
    raise InvalidInput(f"There is no gate “{name}”. Known are: {known}.", code="unknown_gate", field="gate")
