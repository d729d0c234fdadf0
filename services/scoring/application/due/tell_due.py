"""Tells of what time brings to a customer, each once: days that come round (birthdays, anniversaries), at the moment at
which the day begins, and the occasions for which campaigns wait (silence, renewals ahead), when they are due."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.due.sweep import QUIET
from services.scoring.application.events import announce
from services.scoring.application.ports import ComingDays, DueCustomer, Next, Rules
from services.scoring.domain.assess import assess
from services.scoring.domain.due.coming_days import BIRTHDAY, days_between, next_day_at, roots
from services.scoring.domain.due.occasions import Due, look
from services.scoring.domain.settings import ScoreSettings
from shared.bus.interface import Outbox
from shared.bus.records import Outgoing

COMING_CUSTOMERS_MAX = 100
"""In one transaction."""


OCCASIONS = Counter("regulars_occasions_total", "Silences and renewals ahead that were told.", ["occasion"])


class TellDue:
    """The use case. Any number may run: each takes other customers, and a day is told once."""

    def __init__(self, *, days: ComingDays, outbox: Outbox, rules: Rules) -> None:
        self._days = days
        self._outbox = outbox
        self._rules = rules
        self._latest: datetime | None = None

    async def __call__(self, connection: AsyncConnection, now: datetime) -> bool:
        """Look at customers who are due. Answers whether there may be more of them."""
        perhaps_ahead = self._latest is None or now < self._latest  # until this process began, or just now
        if perhaps_ahead and await self._days.look_again(connection, now, COMING_CUSTOMERS_MAX):
            return True
        self._latest = now
        due = await self._days.take_due(connection, now, now - QUIET, COMING_CUSTOMERS_MAX)
        if not due:
            return False
        settings = await self._rules.current(connection)
        gone = [one.id for one in due if one.state is None]
        if gone:
            await self._days.forget(connection, gone)
        await self._tell(connection, [one for one in due if one.state is not None], settings, now)
        return len(due) == COMING_CUSTOMERS_MAX

    async def _tell(
        self,
        connection: AsyncConnection,
        due: Sequence[DueCustomer],
        settings: ScoreSettings,
        now: datetime,
    ) -> None:
        told_by = {one.id: key for one in due if one.state and (key := one.state.profile.get(BIRTHDAY))}
        birthdays = await self._days.birthdays(connection, told_by) if told_by else {}
        since = await self._days.since(connection) if settings.watch.occasions else {}
        zone, told, following = settings.zone, list[Outgoing](), dict[str, Next]()
        standing: list[tuple[DueCustomer, Due]] = []
        for one in due:
            state = one.state
            if state is None or state.first_at is None:
                following[one.id] = Next(None)
                continue
            found = roots(state, birthdays.get(one.id), zone)
            for day in days_between(found, one.told_until, now):
                then = assess(state, day.at, settings)
                past = state.is_history(day.at)
                told.append(announce.of_coming_day(one.id, day, then, now, historical=past))
            looked = look(state, settings.watch, one.marks, since, now)
            standing += [(one, each) for each in looked.told]
            soonest = min(filter(None, (next_day_at(found, now), looked.next_at)), default=None)
            following[one.id] = Next(soonest, looked.marks)
        told += await self._occasions(connection, standing, settings, now)
        await self._days.note_told(connection, following, now)
        await self._outbox.append(connection, told)

    async def _occasions(
        self,
        connection: AsyncConnection,
        standing: Sequence[tuple[DueCustomer, Due]],
        settings: ScoreSettings,
        now: datetime,
    ) -> list[Outgoing]:
        places = {(one.id, *due.root) for one, due in standing if due.root is not None}
        begun = await self._days.begun(connection, places) if places else {}
        told = []
        for one, due in standing:
            assert one.state is not None
            root = begun.get((one.id, *due.root)) if due.root is not None else None
            then = assess(one.state, due.at, settings)
            told.append(announce.of_occasion(one.id, due, root, then, now))
            OCCASIONS.labels(due.occasion.on).inc()
        return told
