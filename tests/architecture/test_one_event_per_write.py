"""Whoever changes something leaves exactly one event: not none, so that nothing goes unseen, and not two for one change."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from promptstore.core.models import AuditEvent
from tests.architecture.sources import Module, modules
from tests.architecture.test_service_permissions import UNRECORDED, Function, reaching, takes_actor
from tests.architecture.writes import ALONG, CASES, EXEMPT
from tests.world import World

_WRITES = {
    "save", "create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "delete"
}  # fmt: skip
# What services record with; it is no service itself.
_RECORDING = "promptstore.core.audit.recording"


def is_service(module: Module, function: Function) -> bool:
    """A door for changes: public, called by keywords alone, in a `services` module, or on the ground floor for an actor.

    Functions with a positional argument work under the lock of the service that calls them.
    """
    if function.name.startswith("_") or function.args.args or module.name == _RECORDING:
        return False
    on_ground_floor = module.name.startswith("promptstore.core.")
    return ".services" in module.name or (on_ground_floor and takes_actor(function))


def writing() -> set[str]:
    """The product's functions that write rows, themselves or through others. A `dict.update` counts too: rather one too many."""
    direct = {
        f"{module.name}.{name}"
        for module in modules()
        for name, function in module.functions.items()
        if any(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _WRITES
            for node in ast.walk(function)
        )
    }
    return direct | reaching(direct)


def services_that_write() -> Iterator[tuple[str, str]]:
    """`(dotted name, file:line)` of each."""
    found = writing()
    for module in modules():
        for name, function in module.functions.items():
            if is_service(module, function) and f"{module.name}.{name}" in found:
                yield f"{module.name}.{name}", module.at(function)


def test_every_service_that_writes_is_in_the_table_or_exempt() -> None:
    missing = [
        f"{where} {name}" for name, where in services_that_write() if name not in CASES.keys() | EXEMPT.keys()
    ]
    assert not missing, "add its smallest call to tests/architecture/writes.py: " + ", ".join(missing)


def test_the_table_and_the_exemptions_name_services_that_are_there() -> None:
    there = {name for name, _where in services_that_write()}
    assert not (CASES.keys() | EXEMPT.keys()) - there
    assert not CASES.keys() & EXEMPT.keys()
    assert ALONG.keys() <= CASES.keys()
    assert all(reason.strip() for reason in EXEMPT.values())


def test_what_takes_an_actor_is_exempt_only_where_it_may_leave_no_event() -> None:
    """The other walk lists who may be silent; both lists say the same."""
    silent = {
        f"{module.name}.{name}"
        for module in modules()
        for name, function in module.functions.items()
        if is_service(module, function) and takes_actor(function) and f"{module.name}.{name}" in EXEMPT
    }
    assert silent <= UNRECORDED.keys()


@pytest.mark.parametrize("name", CASES)
def test_one_call_leaves_one_event(world: World, name: str) -> None:
    act = CASES[name](world)
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    act()
    actions = tuple(AuditEvent.objects.exclude(pk__in=before).order_by("id").values_list("action", flat=True))
    if name in ALONG:
        assert actions == ALONG[name].actions, ALONG[name].why
    else:
        assert len(actions) == 1, actions


def test_the_walk_finds_services_by_how_they_are_called() -> None:
    """A canary for the walk itself: known services are found, their helpers are not."""
    found = {name for name, _where in services_that_write()}
    assert {"releases.services.rollouts.roll_back", "promptstore.core.keys.revoke_key"} <= found
    assert "releases.services.moves.move_rollout" not in found
    assert "registry.services.configs.try_config" not in found
