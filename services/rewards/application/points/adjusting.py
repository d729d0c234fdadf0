"""The use case of points given or taken by hand: under the member's lock, decided with the lots that it touches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.ports import Members, Programs
from services.rewards.domain.changes import Changes
from services.rewards.domain.points import adjusting
from services.rewards.domain.refusals import unknown_customer
from services.rewards.domain.state.member import Member


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Whose points were adjusted, and how many the customer can spend after it."""

    customer_id: str
    available: int


class AdjustmentStore(Protocol):
    """What adjustments read and write besides members, in the caller's transaction."""

    async def customers(self, connection: AsyncConnection, names: set[str]) -> dict[str, str]:
        """Customer ids by any id that a shop or we use for them; unknown ones are missing."""

    async def load_lots(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        draws: Mapping[str, int],
        due_by: datetime,
    ) -> None:
        """By customer, of the lots that hold points: all that are due by then, and those that are spent first, up to as
        many points as may be drawn."""

    async def add(
        self,
        connection: AsyncConnection,
        rows: Sequence[tuple[str, str, int]],
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> None:
        """Note new adjustments, each as (id, customer id, points). `actor`: the id of the key that asked for them."""


@dataclass(frozen=True, slots=True)
class AdjustPoints:
    """Gives points to one customer, or takes them."""

    members: Members
    store: AdjustmentStore
    programs: Programs

    async def __call__(
        self,
        connection: AsyncConnection,
        customer: str,
        points: int,
        now: datetime,
        *,
        id_: str,
        reason: str,
        actor: str,
    ) -> Adjusted:
        """Adjust the points of whoever goes by this name; `id_` is the adjustment's. Raises `RefusedError`
        (`unknown_customer`, `insufficient_points`)."""
        customers = await self.store.customers(connection, {customer})
        locked = await self.members.lock(connection, customers.values(), create=False)
        if not locked:
            raise unknown_customer()
        member = next(iter(locked.values()))
        program = (await self.programs.current(connection, now)).program
        members, draws = {member.customer_id: member}, {member.customer_id: max(-points, 0)}
        await self.store.load_lots(connection, members, draws, now)
        changes = Changes(now, program.version)
        adjusting.adjust(member, program, changes, id_=id_, points=points, reason=reason)
        noted = [(id_, member.customer_id, points)]
        await self.store.add(connection, noted, reason=reason, actor=actor, now=now)
        await self.members.save(connection, changes)
        return Adjusted(member.customer_id, member.spendable())
