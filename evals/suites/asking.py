"""One question to one model, tried a few times."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from evals.scorers import Answer, Case
from promptstore.core.errors import DomainError
from providers import FailureKind, ProviderError

log = structlog.get_logger("evals")

Ask = Callable[[Case, int], Awaitable[Answer]]
"""Puts a case to the release under test; the number is that of the trial. Raises `ProviderError` for a call without an answer."""

# Asking again the same way would get the same answer.
_FINAL: Final = {FailureKind.BAD_REQUEST, FailureKind.UNAUTHORIZED, FailureKind.TOO_LARGE}


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard a run presses. Pauses between tries double, up to `max_pause_s`; a provider's own wish goes first.

    After `give_up_after` trials in a row without an answer the rest is not asked.
    """

    concurrency: int = 4
    attempts: int = 3
    first_pause_s: float = 0.25
    max_pause_s: float = 5.0
    give_up_after: int = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or why there is none: a word and a sentence."""

    attempts: int
    answer: Answer | None = None
    failure: str = ""
    detail: str = ""


async def put(ask: Ask, case: Case, trial: int, *, key: str, pace: Pace) -> Reply:
    """Ask until there is an answer, the failure is final, or the tries are used up. Raises nothing but cancellation."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return Reply(attempt, answer=await ask(case, trial))
        except ProviderError as failure:
            if attempt >= pace.attempts or failure.kind in _FINAL:
                return Reply(attempt, failure=failure.kind.value, detail=failure.detail)
            pause_s = failure.retry_after_s or pace.first_pause_s * 2 ** (attempt - 1)
        except DomainError as refusal:
            return Reply(attempt, failure=refusal.code, detail=refusal.detail)
        except Exception as error:
            # A case that cannot be put, such as one whose variables do not fit the prompt, must not end the run.
            log.exception("case.crashed", case=key, trial=trial)
            return Reply(
                attempt, failure="not_asked", detail=f"The question could not be put: {type(error).__name__}."
            )
        await asyncio.sleep(min(pause_s, pace.max_pause_s))
