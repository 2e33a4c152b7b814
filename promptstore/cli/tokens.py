"""`promptctl tokens`: personal tokens for the management API, made by whoever runs the instance."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from promptstore.cli.database import product
from promptstore.cli.exits import CommandError, Exit
from promptstore.cli.options import Json, Project
from promptstore.cli.output import show

app = App(name="tokens", help="Personal tokens for the management API.", help_format="markdown")


@app.command
def create(
    *,
    user: Annotated[str, Parameter(help="Whose rights the token carries.")],
    name: Annotated[str, Parameter(help="What it is for.")] = "promptctl",
    project: Project,
    as_json: Json = False,
) -> Exit:
    """Make a token with a person's rights in a project. It is shown once.

    Needs the instance's database. The audit log records it as that person's.

    Example: `export PROMPTSTORE_TOKEN=$(promptctl tokens create --user writer --project acme)`

    Exit codes: 0 made · 1 no such person or project · 4 the person is no member, or the database cannot be reached
    """
    with product():
        from promptstore.core import keys
        from promptstore.core.errors import DomainError
        from promptstore.core.models import User
        from promptstore.core.selectors import project_by_slug

        person = User.objects.filter(username=user, is_active=True).first()
        if person is None:
            problem = {
                "code": "not_found",
                "detail": f"There is no active person “{user}”.",
                "field": "--user",
            }
            raise CommandError(Exit.FINDINGS, problem)
        try:
            key, secret = keys.create_personal_token(
                actor=keys.actor_for_user(person), project_id=project_by_slug(project).pk, name=name
            )
        except DomainError as error:
            code = Exit.UNREACHABLE if error.status == 403 else Exit.FINDINGS
            raise CommandError(code, {"code": error.code, "detail": error.detail}) from error
    show({"id": str(key.id), "name": key.name, "token": secret}, [secret], as_json=as_json)
    return Exit.FINE
