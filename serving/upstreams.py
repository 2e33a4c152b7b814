"""Connections to models: one provider per endpoint revision and credential, closed once nothing uses it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from providers import ChatProvider, FailureKind, ProviderError, build
from providers.guard import UrlRefusedError
from serving.documents import Endpoint, Model
from serving.identity import NodeIdentity
from serving.state import EnvironmentState, ServingState

_Key = tuple[str, int, str, str]


@dataclass(slots=True)
class _Entry:
    provider: ChatProvider
    users: int = 0
    retired: bool = False


class Upstreams:
    """Leases providers. A changed endpoint gets a new one; calls under way keep theirs to the end."""

    def __init__(self, identity: NodeIdentity) -> None:
        self._identity = identity
        self._entries: dict[_Key, _Entry] = {}
        # Per endpoint the box last opened and what was in it: opening one takes longer than the rest of a lease.
        self._opened: dict[str, tuple[bytes, str]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lease(
        self, state: ServingState, environment: EnvironmentState, model: Model
    ) -> AsyncIterator[tuple[ChatProvider, Endpoint]]:
        """The provider for a model; raises `ProviderError` when the endpoint cannot be used at all."""
        endpoint = environment.endpoint(model.endpoint)
        if endpoint is None:
            raise ProviderError(FailureKind.UNAVAILABLE, f"endpoint {model.endpoint} is not in the snapshot")
        entry = self._entry(endpoint, self._credential(state, endpoint))
        entry.users += 1
        try:
            yield entry.provider, endpoint
        finally:
            entry.users -= 1
            if entry.retired and not entry.users:
                await entry.provider.aclose()

    def _credential(self, state: ServingState, endpoint: Endpoint) -> str:
        if not endpoint.has_credential:
            return ""
        sealed = state.credentials.get(endpoint.id)
        if sealed is None:
            raise ProviderError(
                FailureKind.UNAUTHORIZED, "the credential has not been sealed to this node yet"
            )
        opened = self._opened.get(endpoint.id)
        if opened is not None and opened[0] == sealed:
            return opened[1]
        secret = self._identity.unseal(sealed)
        if secret is None:
            raise ProviderError(
                FailureKind.UNAUTHORIZED, "the credential is sealed to another key than this node's"
            )
        self._opened[endpoint.id] = (sealed, secret)
        return secret

    def _entry(self, endpoint: Endpoint, credential: str) -> _Entry:
        fingerprint = hashlib.sha256(credential.encode()).hexdigest()
        key = (endpoint.id, endpoint.revision, endpoint.base_url, fingerprint)
        entry = self._entries.get(key)
        if entry is None:
            try:
                provider = build(
                    endpoint.protocol,
                    base_url=endpoint.base_url,
                    api_key=credential or None,
                    allow_private=endpoint.allow_private,
                )
            except (ValueError, UrlRefusedError) as error:
                raise ProviderError(
                    FailureKind.UNAVAILABLE, f"the endpoint cannot be used: {error}"
                ) from error
            self._retire(endpoint.id)
            entry = self._entries[key] = _Entry(provider)
        return entry

    def _retire(self, endpoint_id: str) -> None:
        """Close what other revisions of the endpoint left, now or when its last call ends."""
        for key in [key for key in self._entries if key[0] == endpoint_id]:
            entry = self._entries.pop(key)
            entry.retired = True
            if not entry.users:
                task = asyncio.create_task(entry.provider.aclose())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Close everything; calls under way fail."""
        for entry in self._entries.values():
            await entry.provider.aclose()
        self._entries.clear()
        await asyncio.gather(*self._closing)
