"""Who is in which segment, and the rules that say so."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.segments.membership import Crossing
from services.scoring.domain.settings import ScoreSettings
from shared.contracts.activity import Facts


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
