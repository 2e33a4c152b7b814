"""What providers over HTTP share: one session, one URL, no redirects, limits on time, failures as `ProviderError`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import aiohttp

from providers.base import FailureKind, ProviderError
from providers.guard import UrlRefusedError, check_url, guarded_connector

# Of one endpoint at once. Long answers hold a connection each, so this bounds streams; what is over it waits.
MAX_CONNECTIONS = 1_000


class Poster:
    """Posts JSON to `url`, with `headers` on every request.

    Raises `guard.UrlRefusedError` when made with a URL that may not be called; a name that turns out to
    resolve to a refused address fails the call as `unavailable`.
    """

    def __init__(
        self, *, url: str, headers: Mapping[str, str], allow_private: bool, connect_timeout_s: float
    ) -> None:
        self._url = check_url(url, allow_private=allow_private)
        self._headers = {"Accept-Encoding": "identity", "Content-Type": "application/json", **headers}
        self._allow_private = allow_private
        self._connect_timeout_s = connect_timeout_s
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def post(
        self, body: bytes, *, timeout_s: float, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, whatever its status; `timeout_s` bounds everything until the context ends."""
        with _failures(timeout_s):
            async with self._opened().post(
                self._url,
                data=body,
                headers={**self._headers, **headers},
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=self._connect_timeout_s),
                allow_redirects=False,
            ) as response:
                yield response

    async def aclose(self) -> None:
        """Close the connections. Calls under way fail."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # Made on first use: a session belongs to the event loop it is made in, and providers are built
        # outside of one.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=guarded_connector(allow_private=self._allow_private, limit=MAX_CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


@contextmanager
def _failures(timeout_s: float) -> Iterator[None]:
    """aiohttp's exceptions as `ProviderError`. Order matters: some are several things at once."""
    try:
        yield
    except TimeoutError as error:
        raise ProviderError(FailureKind.TIMEOUT, f"no complete answer within {timeout_s:g} s") from error
    except aiohttp.ClientPayloadError as error:
        raise ProviderError(FailureKind.TRUNCATED, "the connection broke off inside the answer") from error
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, UrlRefusedError)
        what = "refused by the URL guard" if refused else "cannot reach the endpoint"
        raise ProviderError(FailureKind.UNAVAILABLE, f"{what}: {error.os_error}") from error
    except (aiohttp.ClientConnectionError, OSError) as error:
        raise ProviderError(FailureKind.UNAVAILABLE, f"the connection failed: {error}") from error
    except aiohttp.ClientError as error:
        raise ProviderError(FailureKind.MALFORMED, f"not an HTTP answer: {type(error).__name__}") from error
