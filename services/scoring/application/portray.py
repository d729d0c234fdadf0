"""Shows a customer: as they stand now, or as they stood at a moment, by the same functions.

Whatever looks at all events of a customer works in a thread: for 10,000 of them it takes half a second, in which the
event loop has others to answer.
"""

import asyncio
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Archive, Known, Rules
from services.scoring.domain.assess import Assessment, assess
from services.scoring.domain.course import course_of
from services.scoring.domain.event import Event
from services.scoring.domain.evolve import fold
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.stages import Passage
from services.scoring.domain.state import State
from services.scoring.domain.story import Story, tell_story


class Portrait(Struct, frozen=True):
    """A customer at a moment. `events` are those up to it, where they have been read."""

    id: str
    state: State
    assessment: Assessment
    events: list[Event] | None = None


class Portray:
    """The use case."""

    def __init__(self, archive: Archive, settings: ScoreSettings, rules: Rules | None = None) -> None:
        self._archive = archive
        self._settings = settings
        self._rules = rules

    async def refresh(self, connection: AsyncConnection) -> None:
        """Take the segments and the ranking that count now; call it before `now`."""
        if self._rules is not None:
            self._settings = await self._rules.current(connection)

    def now(self, known: Known, now: datetime) -> Portrait:
        """The customer at `now`: the stage is exact, also where the sweep has not come by yet."""
        return Portrait(known.id, known.state, assess(known.state, now, self._settings))

    async def at(self, connection: AsyncConnection, known: Known, moment: datetime) -> Portrait | None:
        """The customer as the events up to `moment` make them; None before the first one."""
        events = await self._archive.events_until(connection, known.id, moment)
        if not events:
            return None
        settings = self._settings if self._rules is None else await self._rules.at(connection, moment)
        folded = await asyncio.to_thread(fold, events, settings)
        assessment = assess(folded.state, moment, settings)
        return Portrait(known.id, folded.state, assessment, events)

    async def stages(self, connection: AsyncConnection, known: Known, moment: datetime) -> list[Passage]:
        """Every change of stage up to `moment`, newest first: as the events that are known now make them."""
        events = await self._archive.events_until(connection, known.id, moment)
        return (await asyncio.to_thread(course_of, events, moment, self._settings))[::-1]

    async def story(self, connection: AsyncConnection, portrait: Portrait) -> Story:
        """The score of a portrait with its why, from all events that made it."""
        moment = portrait.assessment.at
        events = portrait.events or await self._archive.events_until(connection, portrait.id, moment)
        return await asyncio.to_thread(tell_story, events, moment, self._settings)
