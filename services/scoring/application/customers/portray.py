"""Shows a customer: as they stand now, or as they stood at a moment, by the same functions.

Whatever looks at all events of a customer works in a thread: for 10,000 of them it takes half a second, in which the
event loop has others to answer.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Archive, Known, Rules
from services.scoring.domain.assess import Assessment, assess
from services.scoring.domain.event import Event
from services.scoring.domain.explaining.story import Story, tell_story
from services.scoring.domain.fold.course import course_of
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.lifecycle.stages import Passage
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State


class Portrait(Struct, frozen=True):
    """A customer at a moment, as seen by `settings`. `events` are those up to it, where they have been read."""

    id: str
    state: State
    assessment: Assessment
    settings: ScoreSettings
    events: list[Event] | None = None


class Portray:
    """The use case."""

    def __init__(self, archive: Archive, rules: Rules) -> None:
        self._archive = archive
        self._rules = rules

    async def now(self, connection: AsyncConnection, known: Known, now: datetime) -> Portrait:
        """The customer at `now`: the stage is exact, also where the sweep has not come by yet."""
        (portrait,) = await self.all_now(connection, [known], now)
        return portrait

    async def all_now(
        self, connection: AsyncConnection, found: Iterable[Known], now: datetime
    ) -> list[Portrait]:
        """The same of several customers, in their order."""
        settings = await self._rules.current(connection)
        return [Portrait(one.id, one.state, assess(one.state, now, settings), settings) for one in found]

    async def at(self, connection: AsyncConnection, known: Known, moment: datetime) -> Portrait | None:
        """The customer as the events up to `moment` make them; None before the first one."""
        events = await self._archive.events_until(connection, known.id, moment)
        if not events:
            return None
        settings = await self._rules.at(connection, moment)
        folded = await asyncio.to_thread(fold, events, settings)
        assessment = assess(folded.state, moment, settings)
        return Portrait(known.id, folded.state, assessment, settings, events)

    async def stages(self, connection: AsyncConnection, known: Known, moment: datetime) -> list[Passage]:
        """Every change of stage up to `moment`, newest first: as the events that are known now make them."""
        settings = await self._rules.current(connection)
        events = await self._archive.events_until(connection, known.id, moment)
        return (await asyncio.to_thread(course_of, events, moment, settings))[::-1]

    async def story(self, connection: AsyncConnection, portrait: Portrait) -> Story:
        """The score of a portrait with its why, from all events that made it."""
        moment = portrait.assessment.at
        events = portrait.events or await self._archive.events_until(connection, portrait.id, moment)
        return await asyncio.to_thread(tell_story, events, moment, portrait.settings)
