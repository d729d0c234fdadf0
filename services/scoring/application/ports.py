"""What the use cases of scoring need from outside. The adapters implement it on PostgreSQL.

Every method works within the transaction of the connection that it is given. Locks are taken in this order:
inbox, identities, customers, outbox.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.event import Event
from services.scoring.domain.grouping import Pair
from services.scoring.domain.identity import Identity
from services.scoring.domain.language.reading import Reading
from services.scoring.domain.measures import Measures
from services.scoring.domain.membership import Crossing
from services.scoring.domain.orders import Order
from services.scoring.domain.resolution import Gone, Move, Resolution
from services.scoring.domain.rollup import Happening, Place, Rollup
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State
from shared.contracts.activity import Facts


class Arrival(Struct, frozen=True):
    """An event with the record as it was read, which is what the timeline keeps."""

    event: Event
    record: bytes


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


class Countable(Struct, frozen=True):
    """A customer as far as rollups need it: the first event, the segments, the fields that completeness asks for."""

    first_at: datetime
    segments: tuple[str, ...] = ()
    known_fields: tuple[str, ...] = ()


class Reader(Protocol):
    """Reads what customers write."""

    async def read(self, connection: AsyncConnection, events: Sequence[Event]) -> dict[str, Reading]:
        """By event key, what the texts of those events say that have any that can be read."""


class MergeRecord(Struct, frozen=True, kw_only=True):
    """One merge: which customer into which, by the ids that they had then, and the identifiers that stand for them."""

    id: str
    at: datetime
    by_rule: bool
    from_id: str
    into_id: str
    from_identifier: str
    into_identifier: str
    reason: str | None = None
    actor: str | None = None
    undone_at: datetime | None = None
    undone_reason: str | None = None
    undone_by: str | None = None


class Inbox(Protocol):
    """The identities of all events that were ever taken in."""

    async def take(self, connection: AsyncConnection, keys: Collection[str]) -> set[str]:
        """Note these events, and answer which of them are new."""


class Identities(Protocol):
    """Identifiers, and whose they are."""

    async def lock(self, connection: AsyncConnection, *, alone: bool) -> None:
        """Until the transaction ends, whose an identifier is stays as it is; with `alone`, only we may change it."""

    async def find(self, connection: AsyncConnection, pseudonyms: Collection[str]) -> dict[str, Identity]:
        """Those of these that are known."""

    async def add(self, connection: AsyncConnection, identities: Mapping[str, Identity]) -> bool:
        """Add new ones; false when another transaction has added one of them first."""

    async def members(self, connection: AsyncConnection, customers: Collection[str]) -> dict[str, Identity]:
        """All identities of these customers."""

    async def leaves(self, connection: AsyncConnection, pseudonyms: Collection[str]) -> dict[str, Identity]:
        """Identities that were seen beside one of these, none of which is a shop's id."""

    async def gone(
        self, connection: AsyncConnection, customers: Collection[str], pseudonyms: Collection[str]
    ) -> dict[str, Gone]:
        """Ids of customers who are gone that lead to these, or come from one of these identifiers."""

    async def change(self, connection: AsyncConnection, resolution: Resolution) -> int:
        """Change what is there as the resolution says; the number of this change, higher than any before."""

    async def of_customers(
        self, connection: AsyncConnection, customer_ids: Collection[str]
    ) -> dict[str, dict[str, list[str]]]:
        """By customer and kind, all pseudonyms, sorted."""


class Decisions(Protocol):
    """What was merged, by the rules and by people, and what may be."""

    async def about(
        self, connection: AsyncConnection, pseudonyms: Collection[str]
    ) -> tuple[set[Pair], set[Pair]]:
        """The pairs with one of these identifiers that people joined, and those that they told apart."""

    async def note(self, connection: AsyncConnection, resolution: Resolution, now: datetime) -> None:
        """Write down what the rules merged, and what they leave to people."""

    async def suggest(self, connection: AsyncConnection, resolution: Resolution, now: datetime) -> None:
        """Keep what a resolution leaves to people; what an identifier suggested that is shared now is forgotten."""

    async def add(self, connection: AsyncConnection, record: MergeRecord) -> None:
        """Write down a merge that somebody decided."""

    async def get(self, connection: AsyncConnection, id_: str) -> MergeRecord | None:
        """A merge by its id, locked."""

    async def undo(
        self, connection: AsyncConnection, id_: str, *, at: datetime, reason: str, actor: str
    ) -> None:
        """Mark a merge as undone: its two ends stay apart."""


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


class Pass(Struct, frozen=True):
    """A look at all customers in turn, because a day began, or because rules or the ranking changed.

    `cause` says which day, rules and ranking it is for; `after_id` how far it has come (None: done). `passed` are the
    rules, id to source, of the last one that was done.
    """

    cause: str
    after_id: str | None
    begun_at: datetime
    passed: dict[str, str]


class Memberships(Protocol):
    """Who is in which segment, as far as it changes without an event; and the pass over all customers."""

    async def note(
        self,
        connection: AsyncConnection,
        facts: Mapping[str, Facts],
        crossed: Mapping[str, Sequence[Crossing]],
    ) -> None:
        """Store the facts of customers, who are locked, and the segments they enter and leave."""

    async def the_pass(self, connection: AsyncConnection) -> Pass:
        """How the pass stands."""

    async def take_pass(self, connection: AsyncConnection) -> Pass | None:
        """The same, locked; None while somebody else goes on with it."""

    async def note_pass(self, connection: AsyncConnection, state: Pass) -> None:
        """Store how it stands."""


class Rules(Protocol):
    """The segments that count now, and the ranking."""

    async def hold(self, connection: AsyncConnection) -> None:
        """Until the transaction ends, nobody changes them. (Who holds the lock of the identities does so already.)"""

    async def current(self, connection: AsyncConnection) -> ScoreSettings:
        """The settings with them; read anew only when they have changed."""

    async def at(self, connection: AsyncConnection, moment: datetime) -> ScoreSettings:
        """The same with the ranking that counted at a moment: today's rules, asked about then."""

    async def ranked(self, connection: AsyncConnection) -> int:
        """How many customers have an order that stands."""

    async def rank(self, connection: AsyncConnection, now: datetime) -> None:
        """Compare all customers, and let the outcome count from now on."""


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


class Timeline(Protocol):
    """All events, by customer."""

    async def add(self, connection: AsyncConnection, arrivals: Sequence[tuple[str, Arrival]]) -> None:
        """Store events, each with its customer."""

    async def of(self, connection: AsyncConnection, customer_ids: Collection[str]) -> dict[str, list[Event]]:
        """All events of these customers, in order."""

    async def rearrange(self, connection: AsyncConnection, moves: Sequence[Move]) -> None:
        """Give the events under identifiers to the customers whose these are now."""


class Archive(Protocol):
    """What is read of a customer to look back."""

    async def events_until(self, connection: AsyncConnection, customer_id: str, at: datetime) -> list[Event]:
        """All events up to a moment, in order."""


class Stale(Protocol):
    """Notes of customers whose rollups are out of date."""

    async def note(
        self, connection: AsyncConnection, customers: Mapping[str, datetime | None], now: datetime
    ) -> None:
        """These customers have changed, gone or changed segments: by what happened at that time or later (None: at
        any time)."""

    async def note_all(self, connection: AsyncConnection, now: datetime) -> None:
        """Everybody may have changed."""

    async def take(self, connection: AsyncConnection, limit: int) -> dict[str, datetime | None]:
        """The customers of the oldest notes, of which `limit` are taken and removed; those noted first come first."""


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
