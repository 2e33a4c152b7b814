"""Looking again until something has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from promptstore.cli.exits import CommandError, Exit
from promptstore.cli.output import show

Timeout = Annotated[
    float,
    Parameter(name="--timeout", show_default=True, help="Seconds after which waiting ends with exit code 3."),
]
INTERVAL_S = 2.0


def watch(
    read: Callable[[], dict[str, Any]],
    lines_of: Callable[[dict[str, Any]], Sequence[str]],
    *,
    ended: Callable[[dict[str, Any]], bool],
    outcome: Callable[[dict[str, Any]], Exit],
    timeout_s: float,
    as_json: bool,
    interval_s: float = INTERVAL_S,
) -> Exit:
    """Show what `read` returns whenever its picture changes, until it has ended.

    As JSON only the last state is printed. A server that is away for a moment is asked again; `CommandError` is raised when it
    still is at the deadline.
    """
    deadline = time.monotonic() + timeout_s
    last: Sequence[str] = ()
    while True:
        late = time.monotonic() >= deadline
        try:
            found = read()
        except CommandError as error:
            if late or error.problem.get("code") != "unreachable":
                raise
        else:
            lines = lines_of(found)
            done = ended(found)
            if not as_json and lines != last:
                show(None, lines, as_json=False)
            last = lines
            if done or late:
                if as_json:
                    show(found, [], as_json=True)
                return outcome(found) if done else Exit.INCONCLUSIVE
        time.sleep(max(0.0, min(interval_s, deadline - time.monotonic())))
