"""State machines as tables: what may happen to a thing, from which state to which, and who may cause it.

A machine is data. `apply` looks a row up and refuses everything that is not in the table; the service that
calls it checks the row's permission, swaps the state under its lock, and writes audit event and outbox row
in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from promptstore.core.errors import Conflict

State = TypeVar("State", bound=StrEnum)

# The permission of what only the product itself does: controllers, gates, expiry.
SYSTEM = "system"


class TransitionRefused(Conflict):
    """The action is not possible in this state; `allowed_actions` are, in the table's order."""

    code = "transition_refused"
    title = "Not possible in this state"

    def __init__(
        self,
        *,
        machine: str,
        state: str,
        action: str,
        allowed_actions: tuple[str, ...],
        code: str | None = None,
    ) -> None:
        possible = ", ".join(_words(name) for name in allowed_actions) or "nothing, this state is final"
        super().__init__(
            f"“{_words(action)}” is not possible: the {machine} is {_words(state)}. Possible: {possible}.",
            code=code,
            extra={
                "machine": machine,
                "state": state,
                "action": action,
                "allowed_actions": list(allowed_actions),
            },
        )
        self.machine = machine
        self.state = state
        self.action = action
        self.allowed_actions = allowed_actions


@dataclass(frozen=True, slots=True)
class Transition(Generic[State]):
    """One row of the table. `permission` is a key of the permission table, or `SYSTEM`."""

    action: str
    source: State
    target: State
    permission: str


@dataclass(frozen=True, slots=True)
class Machine(Generic[State]):
    """A named table of transitions. Raises `ValueError` when two rows share action and source."""

    name: str
    states: type[State]
    initial: State
    transitions: tuple[Transition[State], ...]

    def __post_init__(self) -> None:
        keys = [(row.action, row.source) for row in self.transitions]
        if len(set(keys)) != len(keys):
            raise ValueError(f"{self.name}: an action leads from one state to two others")

    def outgoing(self, state: State) -> tuple[Transition[State], ...]:
        """The rows that start in `state`, in the table's order."""
        return tuple(
            row for row in self.transitions if row.source == state
        )  # a plain string from a database column matches too

    @property
    def final_states(self) -> tuple[State, ...]:
        """The states that nothing leads out of."""
        return tuple(state for state in self.states if not self.outgoing(state))


def rows(
    action: str, sources: tuple[State, ...], target: State, permission: str
) -> Iterator[Transition[State]]:
    """One transition per source: the same action from several states."""
    for source in sources:
        yield Transition(action=action, source=source, target=target, permission=permission)


def apply(machine: Machine[State], state: State, action: str) -> Transition[State]:
    """The row that `action` takes from `state`: target and permission; raises `TransitionRefused`."""
    outgoing = machine.outgoing(state)
    for row in outgoing:
        if row.action == action:
            return row
    raise TransitionRefused(
        machine=machine.name,
        state=state,
        action=action,
        allowed_actions=tuple(row.action for row in outgoing),
    )


def next_state(machine: Machine[State], state: State, action: str) -> State:
    """Where `action` leads from `state`; raises `TransitionRefused`."""
    return apply(machine, state, action).target


def mermaid(machine: Machine[State]) -> str:
    """The machine as a Mermaid state diagram; each arrow carries the action and who may take it."""
    lines = ["stateDiagram-v2", f"    [*] --> {machine.initial}"]
    lines += [
        f"    {row.source} --> {row.target}: {row.action} ({row.permission})" for row in machine.transitions
    ]
    lines += [f"    {state} --> [*]" for state in machine.final_states]
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.replace("_", " ")
