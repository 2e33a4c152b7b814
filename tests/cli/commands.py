"""Every command of `promptctl`, found in the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cyclopts import App

from promptstore.cli.main import app


@dataclass(frozen=True)
class Command:
    """`help` maps each option and argument to its explanation."""

    words: tuple[str, ...]
    help: dict[str, str]

    @property
    def name(self) -> str:
        return " ".join(self.words)

    @property
    def options(self) -> set[str]:
        return {name for name in self.help if name.startswith("--")}


def _commands(node: App, words: tuple[str, ...]) -> Iterator[Command]:
    for name in node:
        if name.startswith("-"):
            continue
        child = node[name]
        if child.default_command is None:
            yield from _commands(child, (*words, name))
            continue
        arguments = child.assemble_argument_collection(parse_docstring=True)
        yield Command(
            words=(*words, name),
            help={
                argument.names[0] if argument.names else str(argument.field_info.name): str(
                    argument.parameter.help or ""
                )
                for argument in arguments
            },
        )


COMMANDS = tuple(_commands(app, ()))
