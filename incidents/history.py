"""Who a history row names when the request came with a key instead of a session."""

from __future__ import annotations

from typing import Any

from promptstore.core.models import User


def history_user(request: Any, **_: Any) -> User | None:
    """The person behind the request: signed in, or the owner of a personal token; a service key has none.

    For a request with a key `request.user` is a caller and no row, which the foreign key would refuse.
    """
    caller = getattr(request, "user", None)
    if isinstance(caller, User):
        return caller
    user_id = getattr(getattr(caller, "actor", None), "user_id", None)
    return User(pk=user_id) if user_id else None
