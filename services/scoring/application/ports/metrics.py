"""What each customer contributes to the metrics."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.metrics.measures import Measures
from services.scoring.domain.metrics.rollup import Happening, Place, Rollup


class Countable(Struct, frozen=True):
    """A customer as far as rollups need it: the first event, the segments, the fields that completeness asks for."""

    first_at: datetime
    segments: tuple[str, ...] = ()
    known_fields: tuple[str, ...] = ()


class Stale(Protocol):
    """Notes of customers whose rollups are out of date."""

    async def note(
        self, connection: AsyncConnection, customers: Mapping[str, datetime | None], now: datetime
    ) -> None:
        """These customers have changed, are gone, or are in other segments. Each maps to the time of the earliest
        event that changed them: months before it stay as they were counted (None: no month stays)."""

    async def note_all(self, connection: AsyncConnection, now: datetime) -> None:
        """Everybody may have changed."""

    async def take(self, connection: AsyncConnection, limit: int) -> dict[str, datetime | None]:
        """Remove the oldest `limit` notes, and answer their customers, those noted first before the others, each
        with the earliest time that a note gives."""


class Rollups(Protocol):
    """What each customer contributes to the metrics, and the sums."""

    async def lock(self, connection: AsyncConnection) -> bool:
        """Whether it is us who may change rollups, until the transaction ends."""

    async def wait(self, connection: AsyncConnection) -> None:
        """Wait until it is us."""

    async def adopt(self, connection: AsyncConnection, rules: str) -> bool:
        """Whether these are other rules than those by which rollups were made until now; from now on they count."""

    async def forget(self, connection: AsyncConnection) -> None:
        """Remove all rollups and sums, to begin from nothing."""

    async def due(self, connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
        """Customers whose rollups time alone has changed."""

    async def find(self, connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, Rollup]:
        """The rollups of these customers."""

    async def customers(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, Countable]:
        """Those of these customers that exist."""

    async def happenings(
        self, connection: AsyncConnection, begins: Mapping[str, datetime]
    ) -> dict[str, list[Happening]]:
        """What is counted of the customers' events, each customer's from a moment on."""

    async def save(
        self, connection: AsyncConnection, made: Mapping[str, Rollup], gone: Collection[str]
    ) -> None:
        """Store rollups, and remove those of customers who are no more."""

    async def add(
        self,
        connection: AsyncConnection,
        sums: Mapping[Place, Measures],
        fields: Mapping[tuple[str, str], int],
    ) -> None:
        """Add to the sums by place, and to the counts of known fields by (segment, field)."""
