"""Whoever calls a service is checked inside it: console, API, commands and tasks pass the same door."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from incidents import states as incident_states
from promptstore.core import machines
from promptstore.core.permissions import SCOPES, TABLE
from releases import states as release_states
from reviews import states as review_states
from tests.architecture.sources import Module, modules

REFUSING = {"promptstore.core.permissions.require", "promptstore.core.errors.NotAllowed"}
RECORDING = {"promptstore.core.audit.recording.record"}
Function = ast.FunctionDef | ast.AsyncFunctionDef

# Services that take an actor and check nothing themselves, each with the reason why that is safe.
EXEMPT: dict[str, str] = {}
# Services that leave no audit event, each with the reason.
UNRECORDED = {
    "registry.services.configs.try_config": "tries a body out and changes nothing",
    "registry.services.imports.check_import": "reads a file and changes nothing",
    "reviews.services.claims.claim_next": "a lease; what is said under it is recorded",
    "reviews.services.claims.heartbeat": "extends a lease",
    "registry.services.drafts.save_draft": "drafts save themselves every few seconds; publishing is recorded",
}


def service_modules() -> Iterator[Module]:
    """Where writes live: every `services` module, and the ground floor's own services."""
    for module in modules():
        if ".services" in module.name or module.name in {
            "promptstore.core.keys",
            "promptstore.core.projects",
        }:
            yield module


def takes_actor(function: Function) -> bool:
    """A service: public, with `actor` as a keyword. Functions with a positional actor work under a caller's lock."""
    return not function.name.startswith("_") and "actor" in {
        argument.arg for argument in function.args.kwonlyargs
    }


def callees(module: Module, function: Function) -> set[str]:
    return {module.resolve(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}


def reaching(targets: set[str]) -> set[str]:
    """The product's functions that call one of `targets`, themselves or through others."""
    graph = {
        f"{module.name}.{name}": callees(module, function)
        for module in modules()
        for name, function in module.functions.items()
    }
    # A name that a package's __init__ offers is the function behind it.
    aliases = {
        f"{module.name}.{name}": origin
        for module in modules()
        if module.path.endswith("__init__.py")
        for name, origin in module.imports.items()
    }
    found = set(targets)
    grown = True
    while grown:
        more = {
            name
            for name, called in graph.items()
            if name not in found and {aliases.get(callee, callee) for callee in called} & found
        }
        found |= more
        grown = bool(more)
    return found


def test_every_service_that_takes_an_actor_checks_what_the_actor_may_do() -> None:
    checked = reaching(REFUSING)
    unchecked = [
        f"{module.at(function)} {name}"
        for module in service_modules()
        for name, function in module.functions.items()
        if takes_actor(function) and f"{module.name}.{name}" not in checked | EXEMPT.keys()
    ]
    assert not unchecked, "call permissions.require in the service: " + ", ".join(unchecked)


def test_every_service_that_takes_an_actor_leaves_an_audit_event() -> None:
    recorded = reaching(RECORDING)
    silent = [
        f"{module.at(function)} {name}"
        for module in service_modules()
        for name, function in module.functions.items()
        if takes_actor(function) and f"{module.name}.{name}" not in recorded | UNRECORDED.keys()
    ]
    assert not silent, "call audit.record in the change's transaction: " + ", ".join(silent)


def test_every_exemption_is_still_needed() -> None:
    there = {f"{module.name}.{name}" for module in service_modules() for name in module.functions}
    assert not [name for name in EXEMPT if name not in there or name in reaching(REFUSING)]
    assert not [name for name in UNRECORDED if name not in there or name in reaching(RECORDING)]


def test_what_trusts_its_caller_is_called_by_services_alone() -> None:
    """Functions with a positional actor run under a lock and a check that their caller made."""
    trusting = reaching(RECORDING) & {
        f"{module.name}.{name}"
        for module in service_modules()
        for name, function in module.functions.items()
        if function.args.args and function.args.args[0].arg == "actor"
    }
    assert trusting
    outside = [
        f"{module.at(node)} {module.resolve(node.func)}"
        for module in modules()
        if ".services" not in module.name and module.name != "releases.controller"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and module.resolve(node.func) in trusting
    ]
    assert not outside


def test_every_permission_that_code_asks_for_is_in_the_table() -> None:
    asked = {
        node.args[1].value: module.at(node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and module.resolve(node.func).rpartition(".")[2] in {"require", "allows"}
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }
    assert asked
    assert not {name: where for name, where in asked.items() if name not in TABLE}


def test_every_permission_of_a_state_machine_is_in_the_table() -> None:
    tables = [
        value
        for states in (release_states, incident_states, review_states)
        for value in vars(states).values()
        if isinstance(value, machines.Machine)
    ]
    assert tables
    named = {row.permission for machine in tables for row in machine.transitions} - {machines.SYSTEM}
    assert named <= TABLE.keys()


def test_every_scope_of_a_key_carries_known_permissions() -> None:
    assert frozenset().union(*SCOPES.values()) <= TABLE.keys()
