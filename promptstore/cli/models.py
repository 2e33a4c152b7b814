"""`promptctl models`: entries of the model registry."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from promptstore.cli.exits import Exit, usage
from promptstore.cli.files import read_object
from promptstore.cli.management import management, segment
from promptstore.cli.options import Json, JsonFile, Project, TokenFile
from promptstore.cli.output import show

app = App(name="models", help="The model registry.", help_format="markdown")


@app.command
def register(
    file: JsonFile,
    /,
    *,
    name: Annotated[str | None, Parameter(help="The model's name, where the file has none.")] = None,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Write an immutable model version down; the first one makes the model.

    The file is a JSON object with `name`, `version`, `kind` (`hosted` or `self_hosted`), `provider`, `provider_model_id`,
    `endpoint` and what else is known: `checksum`, `weights`, `training`, `tokenizer`, `runtime`, `metrics`,
    `service_level`, `price`, `context_tokens`, `params`, `changelog`.

    Example: `promptctl models register smollm2.json --project acme`

    Parameters
    ----------
    file
        The entry as JSON; `-` reads standard input.
    """
    entry = read_object(file)
    named = entry.pop("name", None)
    wanted = name or named
    if not isinstance(wanted, str) or not wanted:
        raise usage("Name the model: a member `name` in the file, or --name.", field="--name")
    server = management(project=project, token_file=token_file)
    made = server.post(f"models/{segment(wanted)}/versions/", entry).body
    show(made, [f"Registered {made['name']} {made['version']}", f"  {made['digest']}"], as_json=as_json)
    return Exit.FINE
