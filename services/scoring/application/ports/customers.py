"""Customers and their orders."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.segments.membership import Crossing
from services.scoring.domain.state import State
from services.scoring.domain.state.orders import Order
from shared.contracts.activity import Facts


class Known(Struct, frozen=True):
    """A customer found by an id."""

    id: str
    state: State


class Stored(Struct, frozen=True):
    """A customer as stored. `stage`, `segments` and `score` are those that the activity stream was last told (the score
    may be missing); `check_at` is when the sweep looks next."""

    state: State
    stage: str
    check_at: datetime | None
    segments: list[str] = []
    score: int | None = None


class Profile(Struct, frozen=True):
    """A customer to store; `crossings` lead from the segments that were stored to those of the facts."""

    id: str
    state: State
    facts: Facts
    check_at: datetime | None
    crossings: list[Crossing] = []


class Customers(Protocol):
    """The states of customers."""

    async def lock(self, connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, Stored]:
        """Those of these that exist, locked in the order of their ids."""

    async def lock_after(
        self, connection: AsyncConnection, customer_id: str, limit: int
    ) -> dict[str, Stored]:
        """The next customers after an id, locked in the order of their ids."""

    async def any_after(self, connection: AsyncConnection, customer_id: str) -> bool:
        """Whether there are customers after an id; locks nothing."""

    async def first_seen(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, datetime]:
        """The time of each customer's first event."""

    async def add(self, connection: AsyncConnection, profiles: Sequence[Profile], now: datetime) -> None:
        """Store new customers."""

    async def save(self, connection: AsyncConnection, profiles: Sequence[Profile], now: datetime) -> None:
        """Store customers that exist and are locked."""

    async def remove(self, connection: AsyncConnection, customer_ids: Collection[str]) -> None:
        """Remove customers that were merged into others."""

    async def take_due(
        self, connection: AsyncConnection, now: datetime, quiet_since: datetime, limit: int
    ) -> dict[str, Stored]:
        """Some customers whose `check_at` has come and who were not changed after `quiet_since`, locked; those that
        another transaction has locked are passed over."""

    async def note_checked(
        self, connection: AsyncConnection, checked: Mapping[str, tuple[str, datetime | None]]
    ) -> None:
        """Store the stage told and the next `check_at` of customers taken by `take_due`."""


class Orders(Protocol):
    """The order books."""

    async def find(
        self, connection: AsyncConnection, wanted: Collection[tuple[str, str]]
    ) -> dict[str, dict[str, Order]]:
        """The orders named by (customer, order id), by customer."""

    async def of(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, dict[str, Order]]:
        """All orders of these customers, by customer."""

    async def add(self, connection: AsyncConnection, orders: Sequence[tuple[str, Order]]) -> None:
        """Store orders that were not there, each with its customer."""

    async def save(self, connection: AsyncConnection, orders: Sequence[tuple[str, Order]]) -> None:
        """Store changed orders."""

    async def remove(self, connection: AsyncConnection, customer_ids: Collection[str]) -> None:
        """Remove whole books, to be written anew."""
