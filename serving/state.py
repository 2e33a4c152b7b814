"""What a node serves, as one immutable value that is swapped by reference.

A request sees one state from start to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from serving.documents import Endpoint, FeatureDocument, Key, NodeDocument
from serving.prepared import Prepared
from serving.verify import RefusedError, Root


@dataclass(frozen=True, slots=True)
class FeatureState:
    """A feature document inside one generation. `prepared` fills up with ready answers by `(arm, reason)`."""

    document: FeatureDocument
    prepared: dict[tuple[str, str], Prepared] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """A feature document that the root names and this version cannot read; `body` is handed on to clients that can."""

    error: RefusedError
    body: bytes


@dataclass(frozen=True, slots=True)
class EnvironmentState:
    """One environment at one generation. `refused` is why a newer root is not served, and since when.

    A feature in `unread` is served from its last good document, which an earlier root in `kept` names, or not at all.
    """

    root: Root
    features: Mapping[str, FeatureState]
    node: NodeDocument
    refused: RefusedError | None = None
    refused_since: datetime | None = None
    unread: Mapping[str, Unread] = field(default_factory=dict)
    kept: Mapping[str, Root] = field(default_factory=dict)
    cache: dict[str, bytes] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        return self.root.generation

    @property
    def name(self) -> str:
        return self.root.environment

    @property
    def project(self) -> str:
        return self.root.project

    @property
    def roots(self) -> tuple[Root, ...]:
        """All roots whose documents are served, in their order; the newest is last."""
        earlier = {root.order: root for root in self.kept.values()}
        return (*(earlier[order] for order in sorted(earlier)), self.root)

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        return self.node.endpoints.get(endpoint_id)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a key, and the environment it belongs to as it is now."""

    key: Key
    environment: EnvironmentState


@dataclass(frozen=True, slots=True)
class ServingState:
    """Everything: environments by id, callers by the SHA-256 of their key, provider credentials still sealed."""

    environments: Mapping[str, EnvironmentState] = field(default_factory=dict)
    principals: Mapping[bytes, Principal] = field(default_factory=dict)
    credentials: Mapping[str, bytes] = field(default_factory=dict)
    trusted: Mapping[str, bytes] = field(default_factory=dict)


def assemble(
    environments: Mapping[str, EnvironmentState],
    *,
    credentials: Mapping[str, bytes],
    trusted: Mapping[str, bytes],
) -> ServingState:
    """A state over these environments, with the key index that requests look up."""
    principals = {
        digest: Principal(key, environment)
        for environment in environments.values()
        for digest, key in environment.node.keys.items()
    }
    return ServingState(dict(environments), principals, dict(credentials), dict(trusted))


class StateHolder:
    """The one mutable reference.

    Only the feed swaps; streams wait on `changed`, which is a new event after each swap.
    """

    def __init__(self) -> None:
        self.current = ServingState()
        self.changed = asyncio.Event()

    def swap(self, state: ServingState) -> None:
        """Serve `state` from the next request on, and wake whoever waits."""
        self.current = state
        self.wake()

    def wake(self) -> None:
        """Let waiters look again, for instance because the node stops."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()
