"""The command `promptctl`: its nouns, and how every command ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError, Parameter

from promptstore.cli import (
    audit,
    datasets,
    demo,
    doctor,
    inventory,
    models,
    outbox,
    prompts,
    releases,
    replay,
    serve,
    suites,
    tokens,
)
from promptstore.cli.exits import CommandError, Exit
from promptstore.cli.inventory.scan import scan
from promptstore.cli.output import complain
from promptstore.cli.version import version

_EPILOGUE = """
Commands that talk to a server read PROMPTSTORE_URL (default http://127.0.0.1:8000), PROMPTSTORE_TOKEN and
PROMPTSTORE_PROJECT. Local ones (audit, doctor, outbox, serve, tokens) read DATABASE_URL and the other variables of
docs/configuration.md, or find the instance that `make run` started.

Exit codes: 0 fine · 1 findings, or a gate said no · 2 usage · 3 inconclusive · 4 unreachable or not allowed
"""


app = App(
    name="promptctl",
    help="Prompts, releases and rollouts from the command line.",
    help_epilogue=_EPILOGUE.strip(),
    help_format="markdown",
    default_parameter=Parameter(negative="", show_default=False),
    version=version,
    result_action="return_value",
)
for noun in (
    prompts.app,
    models.app,
    datasets.app,
    suites.app,
    inventory.app,
    releases.app,
    audit.app,
    outbox.app,
    tokens.app,
    demo.app,
    replay.app,
):
    noun.help_epilogue = ""
    app.command(noun)
app.command(doctor.doctor)
app.command(serve.serve)
app.command(scan)


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; see `Exit`."""
    as_json = "--json" in arguments
    try:
        outcome = app(list(arguments), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        text = " ".join(str(error).split())
        complain(
            CommandError(Exit.USAGE, {"code": "usage", "detail": f"{text} Try --help."}), as_json=as_json
        )
        return Exit.USAGE
    except CommandError as error:
        complain(error, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        return Exit.INCONCLUSIVE
    except BrokenPipeError:
        # The reader of a pipe has seen enough. Nothing may be written at exit any more.
        sys.stdout = None
        return Exit.FINE
    return int(outcome) if outcome is not None else Exit.FINE


def run() -> NoReturn:
    """The entry point of the installed command."""
    sys.exit(main(sys.argv[1:]))
