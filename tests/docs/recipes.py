"""Recipes as data: what each writes and changes, and what proves it.

A fenced block whose info string names a `path=` goes to that file: a block in `diff` changes it, any other is the whole file.
A diff has no line numbers: what it removes and keeps must be there exactly once. Every command (`$ …`) of a `console` block
is a proof of the recipe, and so is each line below it: the command prints it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.sources import ROOT

FOLDER = ROOT / "docs" / "recipes"
NAMES = sorted(path.stem for path in FOLDER.glob("add-*.md"))
_BLOCK = re.compile(r"^```(\w+)(?: path=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block; `path` is empty where it goes to no file."""

    language: str
    path: str
    text: str


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def blocks(name: str) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall(text_of(name))]


@dataclass(frozen=True)
class Proof:
    """One command for a shell in the checkout, and lines that it must print."""

    command: str
    prints: tuple[str, ...]


def proofs(name: str) -> list[Proof]:
    """The recipe's commands, in order."""
    found = []
    for block in blocks(name):
        if block.language == "console":
            for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, *lines = part.splitlines()
                found.append(Proof(command, tuple(lines)))
    return found


def follow(name: str, checkout: Path) -> list[Path]:
    """Write and change what the recipe says; the files it touched."""
    touched = []
    for block in blocks(name):
        if not block.path:
            continue
        path = checkout / block.path
        if block.language == "diff":
            path.write_text(changed(path.read_text(encoding="utf-8"), block), encoding="utf-8")
        else:
            assert not path.exists(), f"{name} would overwrite {block.path}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        touched.append(path)
    return touched


def changed(text: str, block: Block) -> str:
    """`text` after the block's diff. Parts of it are set apart by lines that begin with `@@`."""
    for hunk in re.split(r"^@@.*\n", block.text, flags=re.MULTILINE):
        if not hunk:
            continue
        lines = [line or " " for line in hunk.splitlines()]
        assert all(line[0] in " +-" for line in lines), f"not a diff of {block.path}:\n{hunk}"
        before = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
        after = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
        there = ("\n" + text).count("\n" + before)
        assert there == 1, f"{block.path} has these lines {there} times:\n{before}"
        text = ("\n" + text).replace("\n" + before, "\n" + after)[1:]
    return text
