"""What a query means: an id, a digest or its beginning, or names."""

from __future__ import annotations

import re
from uuid import UUID

from promptstore.console.search.by_digest import find_by_digest
from promptstore.console.search.by_id import find_by_id
from promptstore.console.search.by_name import find_by_name, find_version
from promptstore.console.search.results import Found
from promptstore.core.actors import Actor

MAX_QUERY = 200
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{6,64})\Z")
_ID_HEX_DIGITS = 32


def cleaned(text: str) -> str:
    """A query as it is searched for: at most 200 characters, no NUL, nothing around it."""
    return text.replace("\x00", "").strip()[:MAX_QUERY]


def find(actor: Actor, project_id: UUID, query: str) -> Found:
    """Everything of the project that `query` names and `actor` may see; a bounded number of rows in a bounded number of queries."""
    if not query:
        return Found(())
    wanted = _uuid(query)
    if wanted is not None:
        return Found(tuple(find_by_id(actor, project_id, wanted)), is_exact=True)
    digest = _DIGEST.match(query.lower())
    if digest:
        found = find_by_digest(project_id, f"sha256:{digest[1]}")
        if found or query.lower().startswith("sha256:"):
            return Found(tuple(found), is_exact=len(digest[1]) == 64)
    if "@" in query:
        exact = find_version(project_id, query)
        if exact:
            return Found(tuple(exact), is_exact=True)
    return Found(tuple(find_by_name(actor, project_id, query)))


def _uuid(text: str) -> UUID | None:
    # `UUID` also takes braces and `urn:`; what people paste has its 32 digits and perhaps dashes.
    if len(text.replace("-", "")) != _ID_HEX_DIGITS:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
