"""The last look before messages are handed over: together those that come at the same time, in one statement."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from services.deliveries.application.ports import Claimed, Queue
from shared.clock import Clock


@dataclass(slots=True)
class _Asked:
    claimed: Claimed
    answer: bool | Exception | None = None


class Beginner:
    """Implements `Begin`. Whoever asks while a statement is under way shares the next one."""

    def __init__(
        self, engine: AsyncEngine, queue: Queue, clock: Clock, transient: Callable[[BaseException], bool]
    ) -> None:
        self._engine = engine
        self._queue = queue
        self._clock = clock
        self._transient = transient
        self._turn = asyncio.Lock()
        self._waiting: list[_Asked] = []

    async def __call__(self, claimed: Claimed) -> bool:
        """See `Begin`. While the database is away nothing begins."""
        asked = _Asked(claimed)
        self._waiting.append(asked)
        async with self._turn:
            if asked.answer is None:
                await self._ask()
        if isinstance(asked.answer, Exception):
            raise asked.answer
        return bool(asked.answer)

    async def _ask(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            async with self._engine.begin() as connection:
                begun = await self._queue.begin(connection, [each.claimed for each in batch], self._clock())
        except asyncio.CancelledError:
            self._waiting = batch + self._waiting  # the next one asks for the others
            raise
        except Exception as error:  # noqa: BLE001  # each that asked is told
            for each in batch:
                each.answer = False if self._transient(error) else error
        else:
            for each in batch:
                each.answer = each.claimed.message.id in begun
