"""Options that many commands share. None of them takes a secret: those come from the environment or from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", help="One JSON value instead of text.")]
Project = Annotated[
    str,
    Parameter(
        name="--project", env_var="PROMPTSTORE_PROJECT", help="The project's short name, such as acme."
    ),
]
TokenFile = Annotated[
    Path | None,
    Parameter(
        name="--token-file",
        env_var="PROMPTSTORE_TOKEN_FILE",
        help="A file that holds the token, instead of PROMPTSTORE_TOKEN.",
    ),
]
Reason = Annotated[str, Parameter(name="--reason", help="Why; kept in the audit log.")]
JsonFile = Annotated[Path, Parameter(allow_leading_hyphen=True)]  # for `-`, standard input
