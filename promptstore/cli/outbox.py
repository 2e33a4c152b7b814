"""`promptctl outbox`: work that committed changes owe and that ran out of attempts."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from promptstore.cli.database import product
from promptstore.cli.exits import CommandError, Exit, usage
from promptstore.cli.options import Json
from promptstore.cli.output import show

app = App(
    name="outbox",
    help="Work that committed changes owe and that ran out of attempts.",
    help_format="markdown",
)


@app.command
def dead(*, as_json: Json = False) -> Exit:
    """List the messages that ran out of attempts, oldest first, with their last error.

    Needs the instance's database.

    Example: `promptctl outbox dead`

    Exit codes: 0 there are none · 1 there are some · 4 the database cannot be reached
    """
    with product():
        from promptstore.core import outbox

        found = [
            {
                "id": message.pk,
                "topic": message.topic,
                "payload": message.payload,
                "attempts": message.attempts,
                "dead_at": message.dead_at,
                "last_error": message.last_error,
            }
            for message in outbox.dead()
        ]
    lines = [f"{row['id']}  {row['topic']}  {row['last_error'] or 'no error was recorded'}" for row in found]
    show(found, lines or ["No message is dead."], as_json=as_json)
    return Exit.FINDINGS if found else Exit.FINE


@app.command
def retry(
    *ids: Annotated[int, Parameter(help="Numbers of dead messages.")],
    every: Annotated[bool, Parameter(name="--all", help="Every message that is dead now.")] = False,
    as_json: Json = False,
) -> Exit:
    """Give dead messages another round of attempts, once the cause is mended.

    Handlers are idempotent: what was done already changes nothing. Needs the instance's database.

    Example: `promptctl outbox retry 4711`

    Exit codes: 0 they wait for a worker · 1 one of them is not dead · 2 none was named · 4 the database cannot be reached
    """
    if bool(ids) == every:
        raise usage("Name messages by their numbers, or all of them with --all.", field="--all")
    with product():
        from promptstore.core import outbox

        wanted = [message.pk for message in outbox.dead()] if every else list(ids)
        revived = [number for number in wanted if outbox.retry_dead(number)]
    missed = [number for number in wanted if number not in revived]
    if missed:
        listed = ", ".join(map(str, missed))
        again = f" The others wait for a worker: {', '.join(map(str, revived))}." if revived else ""
        problem = {"code": "not_dead", "detail": f"Not among the dead messages: {listed}.{again}"}
        raise CommandError(Exit.FINDINGS, problem)
    show({"retried": revived}, [f"{len(revived)} wait for a worker."], as_json=as_json)
    return Exit.FINE
