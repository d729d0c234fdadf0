"""Tells of what time brings to a customer, each once: days that come round (birthdays, anniversaries), at the moment at
which the day begins, and the occasions for which campaigns wait (silence, renewals ahead), when they are due."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application import announce
from services.scoring.application.announce import Begun
from services.scoring.application.ports import Rules
from services.scoring.application.sweep import QUIET
from services.scoring.domain.assess import assess
from services.scoring.domain.coming_days import BIRTHDAY, days_between, next_day_at, roots
from services.scoring.domain.occasions import Due, look
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State
from shared.bus.interface import Outbox
from shared.bus.records import Outgoing

COMING_CUSTOMERS_MAX = 100
"""In one transaction."""


OCCASIONS = Counter("regulars_occasions_total", "Silences and renewals ahead that were told.", ["occasion"])


class DueCustomer(Struct, frozen=True):
    """A customer with a day that may have begun, or an occasion that may be due. `told_until` is how far days were
    told, `marks` are the occasions that stood when last looked at; without a `state` there is no such customer."""

    id: str
    told_until: datetime
    state: State | None
    marks: list[str] = []


class Next(Struct, frozen=True):
    """When to look at a customer next, and the occasions that stand now."""

    at: datetime | None
    marks: list[str] = []


Root = tuple[str, str, datetime]
"""The event that began a silence: the customer, its type, its time."""


class ComingDays(Protocol):
    """Which customers' days come when. All methods take the caller's transaction."""

    async def note(
        self, connection: AsyncConnection, customer_ids: Collection[str], since: datetime, now: datetime
    ) -> None:
        """Something has changed on which these customers' days depend: look at them soon. It is known since `since`:
        no day before is told because of it."""

    async def take_due(
        self, connection: AsyncConnection, now: datetime, quiet_since: datetime, limit: int
    ) -> list[DueCustomer]:
        """Some whose time has come, locked; those locked by another transaction are passed over."""

    async def look_again(self, connection: AsyncConnection, now: datetime, limit: int) -> bool:
        """Let some be looked at soon whom a clock has looked at that was far ahead of `now`: what it had them wait for
        is not what comes next. Answers whether there were any."""

    async def note_told(
        self, connection: AsyncConnection, following: Mapping[str, Next], now: datetime
    ) -> None:
        """What time brought to these was told until now, and what comes next."""

    async def since(self, connection: AsyncConnection) -> dict[str, datetime]:
        """By its name, from when on each occasion is told."""

    async def begun(self, connection: AsyncConnection, roots: Collection[Root]) -> dict[Root, Begun]:
        """The events with which silences began."""

    async def forget(self, connection: AsyncConnection, customer_ids: Collection[str]) -> None:
        """There are no such customers any more."""

    async def birthdays(self, connection: AsyncConnection, told_by: Mapping[str, str]) -> dict[str, date]:
        """Birthdays by customer, as the events with these keys told them; what cannot be read is left out."""


class ComeRound:
    """The use case. Any number may run: each takes other customers, and a day is told once."""

    def __init__(
        self, *, days: ComingDays, outbox: Outbox, settings: ScoreSettings, rules: Rules | None = None
    ) -> None:
        self._days = days
        self._outbox = outbox
        self._settings = settings
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
        if self._rules is not None:
            self._settings = await self._rules.current(connection)
        gone = [one.id for one in due if one.state is None]
        if gone:
            await self._days.forget(connection, gone)
        await self._tell(connection, [one for one in due if one.state is not None], now)
        return len(due) == COMING_CUSTOMERS_MAX

    async def _tell(self, connection: AsyncConnection, due: Sequence[DueCustomer], now: datetime) -> None:
        told_by = {one.id: key for one in due if one.state and (key := one.state.profile.get(BIRTHDAY))}
        birthdays = await self._days.birthdays(connection, told_by) if told_by else {}
        since = await self._days.since(connection) if self._settings.watch.occasions else {}
        zone, told, following = self._settings.zone, list[Outgoing](), dict[str, Next]()
        standing: list[tuple[DueCustomer, Due]] = []
        for one in due:
            state = one.state
            if state is None or state.first_at is None:
                following[one.id] = Next(None)
                continue
            found = roots(state, birthdays.get(one.id), zone)
            for day in days_between(found, one.told_until, now):
                then = assess(state, day.at, self._settings)
                past = state.history_until is not None and day.at <= state.history_until
                told.append(announce.of_coming_day(one.id, day, then, now, historical=past))
            looked = look(state, self._settings.watch, one.marks, since, now)
            standing += [(one, each) for each in looked.told]
            soonest = min(filter(None, (next_day_at(found, now), looked.next_at)), default=None)
            following[one.id] = Next(soonest, looked.marks)
        told += await self._occasions(connection, standing, now)
        await self._days.note_told(connection, following, now)
        await self._outbox.append(connection, told)

    async def _occasions(
        self, connection: AsyncConnection, standing: Sequence[tuple[DueCustomer, Due]], now: datetime
    ) -> list[Outgoing]:
        places = {(one.id, *due.root) for one, due in standing if due.root is not None}
        begun = await self._days.begun(connection, places) if places else {}
        told = []
        for one, due in standing:
            assert one.state is not None
            root = begun.get((one.id, *due.root)) if due.root is not None else None
            then = assess(one.state, due.at, self._settings)
            told.append(announce.of_occasion(one.id, due, root, then, now))
            OCCASIONS.labels(due.occasion.on).inc()
        return told
