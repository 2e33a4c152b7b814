"""How fresh a node is: when it last heard from its database, and since when it has not."""

from __future__ import annotations

from datetime import datetime

from promptstore.core import clock
from serving.prepared import Headers
from serving.state import EnvironmentState

_NONE: Headers = []


class Freshness:
    """`stale_since` is the last moment at which the node knew that it was up to date.

    None while the feed is connected.
    """

    def __init__(self) -> None:
        self.contacted_at: datetime | None = None
        self.stale_since: datetime | None = clock.now()

    def restored(self, as_of: datetime) -> None:
        """The state comes from disk; what happened since it was last confirmed is unknown."""
        # Not in the future, though the clock may have been set back since.
        self.stale_since = min(as_of, clock.now())

    def contacted(self) -> datetime:
        """The database was asked just now, and the state is what it answered. Returns when that was."""
        self.contacted_at = clock.now()
        self.stale_since = None
        return self.contacted_at

    def lost(self) -> None:
        """The feed cannot reach its database."""
        if self.stale_since is None:
            self.stale_since = self.contacted_at or clock.now()

    def since(self, environment: EnvironmentState) -> datetime | None:
        """Since when this environment may be out of date; also because its newer root was refused."""
        moments = [moment for moment in (self.stale_since, environment.refused_since) if moment is not None]
        return min(moments, default=None)

    def headers(self, environment: EnvironmentState) -> Headers:
        """`x-promptstore-stale-since` for answers of this environment, if it is stale."""
        if self.stale_since is None and environment.refused_since is None:
            return _NONE
        since = self.since(environment)
        return _NONE if since is None else [(b"x-promptstore-stale-since", since.isoformat().encode())]
