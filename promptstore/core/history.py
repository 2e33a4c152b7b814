"""Who a history row names: the person behind the request, whichever way they signed in."""

from __future__ import annotations

from typing import Any

from simple_history.models import HistoricalRecords

from promptstore.core.models.users import User


def history_user(request: Any, **_: Any) -> User | None:
    """The person behind the request: signed in, or the owner of a personal token; a service key has none.

    For a request with a key `request.user` is a caller and no row, which the foreign key would refuse.
    """
    caller = getattr(request, "user", None)
    if isinstance(caller, User):
        return caller
    user_id = getattr(getattr(caller, "actor", None), "user_id", None)
    return User(pk=user_id) if user_id else None


class ChangeHistory(HistoricalRecords):  # type: ignore[misc] # django-simple-history ships no types
    """django-simple-history with `history_user` for every table."""

    def __init__(self, **options: Any) -> None:
        super().__init__(get_user=history_user, **options)
