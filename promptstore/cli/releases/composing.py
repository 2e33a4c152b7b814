from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.exits import Exit, usage
from promptstore.cli.management import management
from promptstore.cli.options import Json, Project, TokenFile
from promptstore.cli.output import show


def create(
    feature: str,
    /,
    *,
    prompt: Annotated[tuple[str, ...], Parameter(help="`name@version`; repeat for more prompts.")],
    model: Annotated[
        tuple[str, ...],
        Parameter(help="`role=name@version`, or `name@version` for the role primary."),
    ],
    config: Annotated[str, Parameter(help="The serving config, `name@version`.")],
    primary: Annotated[str | None, Parameter(help="Which prompt answers; default: the first one.")] = None,
    version: Annotated[str | None, Parameter(help="Default: the next minor version.")] = None,
    changelog: Annotated[str, Parameter(help="What is new, for those who approve.")] = "",
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Pin exact versions into one immutable release.

    Example: `promptctl releases create config-assistant --prompt config-assistant@1.1.0 --model smollm2@1.0.0 --config
    config-assistant@1.0.0`

    Exit codes: 0 composed · 1 refused: unknown or withdrawn versions, version taken

    Parameters
    ----------
    feature
        The feature that the release is for.
    """
    body: dict[str, Any] = {
        "feature": feature,
        "prompts": dict(_pin(text, "--prompt") for text in prompt),
        "models": dict(_role(text) for text in model),
        "config": config,
        "changelog": changelog,
    }
    body |= {name: value for name, value in (("primary", primary), ("version", version)) if value}
    made = management(project=project, token_file=token_file).post("releases/", body).body
    show(made, [f"Composed {made['feature']} {made['version']}", f"  {made['digest']}"], as_json=as_json)
    return Exit.FINE


def _pin(text: str, option: str) -> tuple[str, str]:
    name, _, version = text.rpartition("@")
    if not name or not version:
        raise usage(f"Write name@version; “{text}” could change its meaning.", field=option)
    return name, version


def _role(text: str) -> tuple[str, str]:
    role, equals, reference = text.partition("=")
    if not equals:
        role, reference = "primary", text
    _pin(reference, "--model")
    return role, reference
