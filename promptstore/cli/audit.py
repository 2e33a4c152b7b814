"""`promptctl audit`: is the log whole?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from cyclopts import App, Parameter

from promptstore.cli.database import product
from promptstore.cli.exits import Exit, usage
from promptstore.cli.options import Json
from promptstore.cli.output import show

app = App(name="audit", help="The append-only log.", help_format="markdown")


@app.command
def verify(
    *,
    expect_sequence: Annotated[
        int | None, Parameter(help="Sequence number of a checkpoint you kept elsewhere.")
    ] = None,
    expect_head: Annotated[str | None, Parameter(help="Its chain digest, `sha256:…`.")] = None,
    as_json: Json = False,
) -> Exit:
    """Recompute every digest, link and signature of the audit log.

    Keep the sequence and head that it prints somewhere else: with them, a tail that was cut off shows too. Restores from a backup
    are listed; a checkpoint that one of them cut off is a fault, and says which.

    Example: `promptctl audit verify --expect-sequence 4012 --expect-head sha256:9f0c…`

    Exit codes: 0 whole · 1 faults were found · 4 the database cannot be reached
    """
    if (expect_sequence is None) != (expect_head is None):
        raise usage("Give --expect-sequence and --expect-head together.", field="--expect-sequence")
    with product():
        from promptstore.core import audit

        found = audit.verify(expect_sequence=expect_sequence, expect_head=expect_head)
        restores = audit.restores()
    lines = [
        f"{found.sealed} events sealed, {found.checkpoints} checkpoints, {found.pending} waiting for the sealer",
        f"sequence {found.sealed}, head {found.head}",
        *(str(restore) for restore in restores),
        *(f"fault: {fault}" for fault in found.faults),
        "The log is whole." if found.ok else f"{len(found.faults)} faults.",
    ]
    value = asdict(found) | {"restores": [asdict(restore) for restore in restores], "ok": found.ok}
    show(value, lines, as_json=as_json)
    return Exit.FINE if found.ok else Exit.FINDINGS
