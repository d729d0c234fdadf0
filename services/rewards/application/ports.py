"""What the use cases of rewards need from outside; adapters implement it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.changes import Changes
from services.rewards.domain.members.parting import OpenReservation, TakenBack
from services.rewards.domain.needs import Needs
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.budgets import Budget
from services.rewards.domain.state.member import Member
from shared.contracts.activity import Activity
from shared.program.model.program import Program
from shared.program.model.tiers import Measure


class Members(Protocol):
    """Members as they are stored. Every method works in the caller's transaction."""

    async def lock(
        self, connection: AsyncConnection, customer_ids: Iterable[str], *, create: bool
    ) -> dict[str, Member]:
        """The members with these ids, locked in id order; an id that was merged into another gives that one.

        With `create`, customers unknown so far become members; else they are missing from the answer.
        """

    async def lock_exactly(
        self, connection: AsyncConnection, customer_ids: Iterable[str]
    ) -> dict[str, Member]:
        """The members with these ids, locked in id order, made if need be; merged ones are themselves."""

    async def parts(self, connection: AsyncConnection, parts: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Whose these parts are now, and by which change; those that never moved are missing."""

    async def note_parts(
        self, connection: AsyncConnection, parts: Iterable[str], customer_id: str, epoch: int
    ) -> None:
        """These parts are this customer's, since the change of this number."""

    async def move_parts(
        self, connection: AsyncConnection, source: Member, target: Member, parts: Iterable[str], now: datetime
    ) -> None:
        """Make what is stored of these parts of `source` the `target`'s, and note when both were divided."""

    async def earned_by(
        self, connection: AsyncConnection, source: Member, target: Member, parts: Iterable[str]
    ) -> int:
        """The points that were ever earned into the lots of these parts, less what merges that stand took back of
        them; those given by hand are not. The target is not among the merged, though it may be stored so yet."""

    async def taken_back(self, connection: AsyncConnection, customer_id: str, cause: str) -> list[TakenBack]:
        """What a cause took back from a customer."""

    async def open_reservations(self, connection: AsyncConnection, customer_id: str) -> list[OpenReservation]:
        """The customer's reservations that are neither confirmed nor released."""

    async def retake(self, connection: AsyncConnection, reservation: OpenReservation) -> None:
        """Store which lots a reservation took from."""

    async def load(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        needs: Needs,
        spend_since: datetime | None,
        measure: Measure | None = None,
    ) -> None:
        """Fill the members with what is needed; their rolling spend then begins at `spend_since`, and towards their
        tiers counts what `measure` says (None: there are no tiers)."""

    async def load_benefits(
        self, connection: AsyncConnection, members: dict[str, Member], customers: Collection[str]
    ) -> None:
        """What tiers have brought these customers so far."""

    async def load_all(
        self, connection: AsyncConnection, member: Member, measure: Measure | None = None
    ) -> None:
        """Fill a member with everything there is of it, for a merge."""

    async def save(self, connection: AsyncConnection, changes: Changes) -> None:
        """Write everything, and the outcomes last."""

    async def move(self, connection: AsyncConnection, source: Member, target: Member) -> None:
        """Make everything that is stored of `source` the `target`'s."""

    async def revoke_offers(
        self, connection: AsyncConnection, member: Member, rules: list[str], now: datetime
    ) -> list[tuple[str, str]]:
        """Revoke the member's unused offers that these rules gave; their codes and names."""


class Taken(NamedTuple):
    """An activity off the stream, and the bytes of its record as they came."""

    activity: Activity
    record: bytes


class Activities(Protocol):
    """Activities that were taken: their identities for ever, their records for as long as history is kept."""

    async def take(self, connection: AsyncConnection, told: Sequence[Taken], now: datetime) -> list[Taken]:
        """Keep those of these that were not taken before, and answer them: one batch, taken at `now`, in the order in
        which it is decided. Each identity is told once."""


class Budgets(Protocol):
    """Points that rules may give to all customers together."""

    async def claim(
        self, connection: AsyncConnection, wanted: Mapping[str, int], program: Program
    ) -> dict[str, Budget]:
        """Put so many points aside, by rule, or as many as can be had without waiting for anybody. What is given of
        them is written by `Members.save`; the rest is free again after the transaction."""


class Programs(Protocol):
    """The program's versions."""

    async def current(self, connection: AsyncConnection, now: datetime) -> Rulebook:
        """The version in force at `now`, as was known a second ago at most. Raises `NoProgramError`, and
        `UnreadableProgramError`: then nothing is decided."""

    async def number(self, connection: AsyncConnection, now: datetime) -> int:
        """The number of that version, also of one that cannot be read."""

    async def version(self, connection: AsyncConnection, version: int) -> Rulebook:
        """A version by its number."""
