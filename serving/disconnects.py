"""Stop working for a caller who is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from serving.http import ClientGoneError, Receive

_T = TypeVar("_T")


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, _T]) -> _T:
    """The result of `work`; cancels it and raises `ClientGoneError` when the connection closes first.

    Call it after the body was read: until then `receive` has other things to say. The work runs in the caller's own task, which
    costs a fraction of a task for itself, and has ended, whatever it held given back, before this returns.
    """
    worker = asyncio.current_task()
    assert worker is not None, "a coroutine runs in a task"
    working, left = True, False

    def stop(watcher: asyncio.Task[None]) -> None:
        nonlocal left
        if working and not watcher.cancelled():
            left = True
            worker.cancel()

    watcher = asyncio.ensure_future(_gone(receive))
    watcher.add_done_callback(stop)
    try:
        return await work
    except asyncio.CancelledError:
        # Only this cancellation is ours to catch; where the task itself is cancelled as well, that goes on.
        if left and not worker.uncancel():
            raise ClientGoneError from None
        raise
    finally:
        working = False
        watcher.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
