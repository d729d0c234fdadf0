"""Whose an identifier is, and what was decided about it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.identity.grouping import Pair
from services.scoring.domain.identity.identifiers import Identity
from services.scoring.domain.identity.resolution import Gone, Resolution


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


class Identities(Protocol):
    """Identifiers, and whose they are."""

    async def lock(self, connection: AsyncConnection, *, alone: bool) -> int:
        """Until the transaction ends, whose an identifier is stays as it is; with `alone`, only we may change it.
        Answers the number of the last change."""

    def remembered(self, pseudonyms: Collection[str]) -> tuple[int | None, dict[str, Identity]]:
        """Those of these that are remembered, and after which change they were so; nothing is asked."""

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
