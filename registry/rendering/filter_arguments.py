"""Checks a filter's arguments against its signature, before anything runs."""

from __future__ import annotations

from jinja2 import nodes

from registry.rendering import language
from registry.rendering.language import Argument, FilterSignature


def argument_problem(node: nodes.Filter, signature: FilterSignature) -> str | None:
    """What is wrong with the arguments, or None."""
    try:
        _check(node, signature)
    except _ArgumentError as problem:
        return str(problem)
    return None


def _check(node: nodes.Filter, signature: FilterSignature) -> None:
    parameters = dict(signature.parameters)
    given = _bind(node, list(parameters))
    for name in list(parameters)[: signature.required]:
        if name not in given:
            raise _ArgumentError(f"needs the argument {name}")
    for name, value in given.items():
        if not _fits(value, parameters[name]):
            raise _ArgumentError(f"{name} must be {parameters[name].value}")


def _bind(node: nodes.Filter, names: list[str]) -> dict[str, nodes.Node]:
    """Arguments by parameter name, as Python binds them."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise _ArgumentError("arguments cannot be unpacked with * or **")
    if len(node.args) > len(names):
        raise _ArgumentError(f"takes at most {len(names)} arguments" if names else "takes no arguments")
    given: dict[str, nodes.Node] = dict(zip(names, node.args, strict=False))
    for keyword in node.kwargs:
        name = str(keyword.key)
        if name not in names:
            raise _ArgumentError(f"has no argument {name[:80]}")
        if name in given:
            raise _ArgumentError(f"got {name} twice")
        given[name] = keyword.value
    return given


class _ArgumentError(Exception):
    pass


def _fits(node: nodes.Node, kind: Argument) -> bool:
    if kind is Argument.VALUE:
        return isinstance(node, nodes.Const | nodes.Name | nodes.Getattr | nodes.Getitem)
    if not isinstance(node, nodes.Const):
        return False
    value = node.value
    if kind is Argument.FLAG:
        return type(value) is bool
    if kind is Argument.COUNT:
        return type(value) is int and 0 <= value <= language.MAX_TRUNCATE
    return type(value) is str and (kind is Argument.TEXT or bool(value))
