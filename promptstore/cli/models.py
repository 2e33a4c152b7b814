"""`promptctl models`: entries of the model registry."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from promptstore.cli.exits import CommandError, Exit, usage
from promptstore.cli.files import read_object
from promptstore.cli.management import management, segment
from promptstore.cli.options import Json, JsonFile, Project, Reason, TokenFile
from promptstore.cli.output import show
from promptstore.cli.releases.watching import Timeout, watch

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


# What could not be read is no finding: neither drift nor its absence.
_OUTCOMES = {"baseline": Exit.FINE, "steady": Exit.FINE, "drifted": Exit.FINDINGS}


@app.command
def probe(
    entry: str,
    /,
    *,
    accept_baseline: Annotated[
        bool,
        Parameter(help="Compare later runs with this one; needs --reason, and the run must be readable."),
    ] = False,
    reason: Reason = "",
    timeout: Timeout = 600,
    project: Project,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> Exit:
    """Ask a model version its fixed questions now, and compare the answers with its baseline.

    The first run is the baseline. A run that is under way already is waited for.

    Example: `promptctl models probe gpt-large@1.0.0 --project acme`

    Exit codes: 0 steady, or a baseline now · 1 drifted · 3 too close to call, not readable, or not done at the timeout

    Parameters
    ----------
    entry
        `name@version` of the model.
    """
    name, separator, version = entry.partition("@")
    if not separator or not name or not version:
        raise usage("Name a version, such as gpt-large@1.0.0.", field="ENTRY")
    if accept_baseline and not reason.strip():
        raise usage("Say why the answers are accepted.", field="--reason")
    server = management(project=project, token_file=token_file)
    below = f"models/{segment(name)}/versions/{segment(version)}/"
    run = server.post(f"{below}probes/", {}).body["run"]

    def read() -> dict[str, Any]:
        try:
            found: dict[str, Any] = server.get(f"{below}probes/{run}/").body
        except CommandError as error:
            if error.problem.get("code") != "not_found":
                raise
            return {"id": run, "outcome": "pending", "sentence": f"{entry} is being asked."}
        return found

    def outcome(found: dict[str, Any]) -> Exit:
        if accept_baseline and found["outcome"] != "unreadable":
            server.post(f"{below}probes/{run}/accept/", {"reason": reason})
            return Exit.FINE
        return _OUTCOMES.get(found["outcome"], Exit.INCONCLUSIVE)

    return watch(
        read,
        _probe_lines,
        ended=lambda found: found["outcome"] != "pending",
        outcome=outcome,
        timeout_s=timeout,
        as_json=as_json,
    )


def _probe_lines(found: dict[str, Any]) -> list[str]:
    changed = [f"  {case['topic']}: {case['prompt']}" for case in found.get("changed", ())]
    return [f"{found['outcome']}: {found['sentence']}", *changed[:5]]
