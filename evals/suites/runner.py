"""Asking the cases of a stage: a few at a time, inside a budget, in rows that can be kept as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from evals.scorers import Case
from evals.suites.asking import Ask, Pace, put
from evals.suites.purse import Purse, Stop
from evals.suites.rows import TrialRow
from evals.suites.scoring import score_answer
from evals.suites.spec import StageSpec


@dataclass(frozen=True, slots=True)
class SuiteCase:
    """A case under the key by which its dataset knows it."""

    key: str
    content: Case


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is: trials there (those of an earlier run with them), trials in all, errors of this run, money so far."""

    done: int
    total: int
    errors: int
    cost_nanos: int


class StageRun:
    """One stage being asked. Iterate over `rows` once, inside one event loop; afterwards `stopped` says why it ended early.

    `cases` are asked in their order (see `sampling.planned`), all trials of one before the next. `done` are trials, as
    `(case key, number)`, of which rows are there already. `cancelled` is asked before each trial; those under way still end. At
    most `pace.concurrency` answers are held at a time, and costs can pass the budget by what is under way when it ends.
    """

    def __init__(
        self,
        stage: StageSpec,
        cases: Sequence[SuiteCase],
        *,
        ask: Ask,
        purse: Purse,
        pace: Pace | None = None,
        done: Collection[tuple[str, int]] = frozenset(),
        progress: Callable[[Progress], None] = lambda _: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.stopped: Stop | None = None
        self._stage = stage
        self._cases = cases
        self._ask = ask
        self._purse = purse
        self._pace = pace or Pace()
        self._done = frozenset(done)
        self._progress = progress
        self._cancelled = cancelled
        self._errors = 0
        self._silent = 0
        self._current: str | None = None

    async def rows(self) -> AsyncGenerator[TrialRow, None]:
        """Each trial's row once it is there. Closing the iterator ends the calls under way; their rows are lost."""
        loop = asyncio.get_running_loop()
        self._purse.start(loop.time())
        waiting = self._trials()
        following = next(waiting, None)
        total = len(self._cases) * self._stage.trials
        done = sum(
            (case.key, trial) in self._done for case in self._cases for trial in range(self._stage.trials)
        )
        running: set[asyncio.Task[TrialRow | None]] = set()
        try:
            while True:
                while following and len(running) < self._pace.concurrency:
                    if not self._may_ask(following[0], loop.time()):
                        break
                    running.add(asyncio.create_task(self._trial(*following)))
                    following = next(waiting, None)
                if not running:
                    return
                finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    row = task.result()
                    if row is None:
                        self.stopped = self.stopped or Stop.TIME
                        continue
                    done += 1
                    self._note(row)
                    self._progress(Progress(done, total, self._errors, self._purse.cost_nanos))
                    yield row
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _trials(self) -> Iterator[tuple[SuiteCase, int]]:
        for case in self._cases:
            for number in range(self._stage.trials):
                if (case.key, number) not in self._done:
                    yield case, number

    def _may_ask(self, case: SuiteCase, now: float) -> bool:
        """Whether another trial may start; the first one of a case takes the case from the budget."""
        another = case.key != self._current
        if self.stopped is None:
            if self._cancelled():
                self.stopped = Stop.CANCELLED
            elif self._silent >= self._pace.give_up_after:
                self.stopped = Stop.SILENT
            elif another and not self._purse.has_cases:
                self.stopped = Stop.CASES
            else:
                self.stopped = self._purse.spent(now)
        if self.stopped is not None:
            return False
        if another:
            self._current = case.key
            self._purse.cases += 1
        return True

    async def _trial(self, case: SuiteCase, number: int) -> TrialRow | None:
        """The row, or None where the time of the whole run ended first."""
        try:
            async with asyncio.timeout_at(self._purse.deadline):
                reply = await put(self._ask, case.content, number, key=case.key, pace=self._pace)
        except TimeoutError:
            return None
        if reply.answer is None:
            return TrialRow.failed(
                case.key, number, failure=reply.failure, detail=reply.detail, attempts=reply.attempts
            )
        return score_answer(
            self._stage, case.content, reply.answer, key=case.key, trial=number, attempts=reply.attempts
        )

    def _note(self, row: TrialRow) -> None:
        self._errors += row.in_error
        self._silent = self._silent + 1 if row.failure else 0
        self._purse.cost_nanos += row.cost_nanos or 0
