"""Group commit: requests that arrive while a transaction runs share the next one.

Nobody waits on purpose: a request that finds the line idle is handled at once. Under load the cost of a
transaction is shared by all requests of a batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")

BATCH_MAX = 64
"""Requests in one transaction."""
BATCHES_MAX = 2
"""At the same time: while one waits for the database, the other computes. A third would only make all smaller."""
ENOUGH = 12
"""Requests waiting that are worth a second batch beside the one that runs. Fewer wait for that one: a transaction costs
as much as some twenty requests in it."""
WAITING_MAX = 2_000
"""Requests waiting for one; beyond it the service is overloaded and says so."""


class OverloadedError(Exception):
    """More requests wait than can be handled in time."""


class Batcher(Generic[Request, Answer]):
    """Hands requests in batches to `handle`, few batches at a time, and gives each its own answer.

    `handle` answers one result per request, an exception being the answer of a request that is refused. When it
    fails as a whole, each request of the batch is tried alone, so that none fails because of another.

    Two requests `about` the same are never in two batches at once: the later batch would wait in the database for the
    end of the earlier one, and all of its requests with it.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[Request]], Awaitable[list[Answer | Exception]]],
        about: Callable[[Request], Hashable] = lambda _: object(),
    ) -> None:
        self._handle = handle
        self._about = about
        self._busy: set[Hashable] = set()
        self._waiting: deque[tuple[Request, asyncio.Future[Answer]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, request: Request) -> Answer:
        """The answer to a request. Raises what `handle` answered for it, `OverloadedError` when too many wait."""
        if len(self._waiting) >= WAITING_MAX:
            raise OverloadedError
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if len(self._running) < BATCHES_MAX and self._is_worth_a_batch(len(self._running)):
            self._running.add(asyncio.create_task(self._drain()))
        return await answer

    def _is_worth_a_batch(self, beside: int) -> bool:
        """Whether what waits should go now, when so many batches are under way; the last of them takes what is left."""
        return len(self._waiting) >= (ENOUGH if beside else 1)

    async def _drain(self) -> None:
        try:
            while self._is_worth_a_batch(beside := len(self._running) - 1):
                batch = self._next(beside)
                if not batch and beside:
                    return
                about = {self._about(request) for request, _ in batch}
                self._busy |= about
                try:
                    await self._answer(batch)
                finally:
                    self._busy -= about
        finally:  # at once: whoever comes next must not wait for a task that has nothing more to do
            this = asyncio.current_task()
            assert this is not None
            self._running.discard(this)

    def _next(self, beside: int) -> list[tuple[Request, "asyncio.Future[Answer]"]]:
        """The next batch, in the order in which its requests came. Those that must not go beside the batch under way
        stay ahead of all others; where those are few, there is no batch, and all go when that one has ended."""
        looked_at = [self._waiting.popleft() for _ in range(min(BATCH_MAX, len(self._waiting)))]
        looked_at = [one for one in looked_at if not one[1].done()]  # the others' askers have gone
        batch = [one for one in looked_at if self._about(one[0]) not in self._busy]
        if beside and len(batch) < ENOUGH:
            self._waiting.extendleft(reversed(looked_at))
            return []
        self._waiting.extendleft(one for one in reversed(looked_at) if self._about(one[0]) in self._busy)
        return batch

    async def _answer(self, batch: list[tuple[Request, "asyncio.Future[Answer]"]]) -> None:
        if not batch:
            return
        try:
            results = await self._handle([request for request, _ in batch])
        except Exception as error:  # noqa: BLE001  # every kind reaches the one who asked
            if len(batch) > 1:
                for one in batch:
                    await self._answer([one])
                return
            results = [error]
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.done():
                continue  # who asked has gone
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
