"""Many stories in one town: each is told by itself, all are played on one timeline."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from shared.settings import Settings
from tests.conftest import SECRET
from tests.end_to_end.stories.town import Town, open_town
from tests.support.clock import ManualClock
from tests.support.database import TestDatabases

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
"""A Monday, in New York."""


class Timeline:
    """What the stories wait by. The clock goes on when all of them wait, to the next moment that one waits for; what is
    due then is done before anybody goes on."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._start = town.clock()
        self._waiting: list[tuple[datetime, asyncio.Future[None]]] = []
        self._telling = 0
        self._all_wait = asyncio.Event()

    async def day(self, day: int, *, hours: float = 0) -> None:
        """Wait until so many days, and hours, after the beginning."""
        await self._until(self._start + timedelta(days=day, hours=hours))

    async def soon(self) -> None:
        """Wait until all that has happened has had its effect; no time passes."""
        await self._until(self._town.clock())

    async def play(self, stories: Sequence["Story"]) -> dict["Story", BaseException | None]:
        """All of them to their ends: what was wrong with each."""
        self._telling = len(stories)
        tasks = {story: asyncio.create_task(self._tell(story)) for story in stories}
        while not all(task.done() for task in tasks.values()):
            await self._all_wait.wait()
            await self._town.settle()
            if self._waiting:
                await self._go_on()
        return {story: task.exception() for story, task in tasks.items()}

    async def _tell(self, story: "Story") -> None:
        try:
            await story(self._town, self)
        finally:
            self._one_less()

    async def _go_on(self) -> None:
        """To the next moment that a story waits for."""
        moment = min(moment for moment, _ in self._waiting)
        if moment > self._town.clock():
            self._town.clock.set(moment)
            await self._town.settle()
        woken = [future for when, future in self._waiting if when <= moment]
        self._waiting = [each for each in self._waiting if each[0] > moment]
        self._telling += len(woken)
        self._all_wait.clear()
        for future in woken:
            future.set_result(None)

    async def _until(self, moment: datetime) -> None:
        assert moment >= self._town.clock(), "time does not go back"
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((moment, future))
        self._one_less()
        await future

    def _one_less(self) -> None:
        self._telling -= 1
        if not self._telling:
            self._all_wait.set()


Story = Callable[[Town, Timeline], Awaitable[None]]


def outcomes(
    databases: TestDatabases, home: Path, stories: Sequence[Story], **settings: Any
) -> dict[Story, BaseException | None]:
    """All stories, played in one town on a fresh database: what was wrong with each."""

    async def play() -> dict[Story, BaseException | None]:
        async with databases.fresh() as url:
            made = Settings(database_url=url, secret=SecretStr(SECRET), home=home, partitions=2, **settings)
            async with open_town(url, made, ManualClock(NOON)) as town:
                return await Timeline(town).play(stories)

    return asyncio.run(play())
