"""Shows a customer: as they stand now, or as they stood at a moment, by the same functions."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.ports import Archive, Known, Rules
from services.scoring.domain.assess import Assessment, assess
from services.scoring.domain.evolve import fold
from services.scoring.domain.explain import ExplainedPart, explain
from services.scoring.domain.orders import Order
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State


class Portrait(Struct, frozen=True):
    """A customer at a moment. `orders` is None where they have not been read."""

    id: str
    state: State
    assessment: Assessment
    orders: list[Order] | None = None


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
        folded = fold(events, settings)
        assessment = assess(folded.state, moment, settings)
        return Portrait(known.id, folded.state, assessment, list(folded.book.values()))

    async def explained(self, connection: AsyncConnection, portrait: Portrait) -> tuple[ExplainedPart, ...]:
        """The parts of the score with their facts and events."""
        orders: Iterable[Order] | None = portrait.orders
        if orders is None:
            orders = await self._archive.newest_orders(connection, portrait.id)
        return explain(portrait.state, portrait.assessment, orders, self._settings)
