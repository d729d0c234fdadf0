"""Which customers are to be looked at when: for days that come round, and for occasions."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.due.occasions import Begun
from services.scoring.domain.state import State


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
