"""Names of people by their ids, for sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from promptstore.core.models import User


def names_of(ids: Iterable[str]) -> Mapping[str, str]:
    """Display names by id, in one query. Ids of nobody are left out."""
    wanted = {value for value in ids if value}
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=wanted)} if wanted else {}


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
