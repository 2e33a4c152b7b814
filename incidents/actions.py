"""What the actions on an incident are called, and what each leads to, for people. No Django."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionText:
    """Words of a button and of the question it asks. `icon` is a name of the icon set, `shortcut` the single key that asks."""

    label: str
    title: str
    submit: str
    consequences: tuple[str, ...]
    icon: str
    shortcut: str


ACTIONS: dict[str, ActionText] = {
    "acknowledge": ActionText(
        label="Acknowledge…",
        title="Take this incident on?",
        submit="Acknowledge",
        consequences=("Everybody sees that you are at it.", "What users get does not change."),
        icon="eye",
        shortcut="a",
    ),
    "mitigate": ActionText(
        label="Mitigate…",
        title="Are users safe again?",
        submit="Mitigate",
        consequences=(
            "Withdrawn units get the stable release again, within seconds.",
            "The next rollout of this feature may start.",
            "If users are still harmed, roll back first.",
        ),
        icon="shield-check",
        shortcut="m",
    ),
    "resolve": ActionText(
        label="Resolve…",
        title="Is the cause dealt with?",
        submit="Resolve",
        consequences=("The incident is closed for good.", "The same cause would open a new one."),
        icon="circle-check",
        shortcut="r",
    ),
}
