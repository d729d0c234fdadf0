"""Members in PostgreSQL: locked in id order, filled with what a decision needs, written set-based."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters import member_rows
from services.rewards.adapters.members import loading, moving, saving
from services.rewards.adapters.points import lots
from services.rewards.adapters.spending import checkouts, offer_uses
from services.rewards.adapters.tiering import standings
from services.rewards.adapters.tiering.rolling import roll_spend
from services.rewards.domain.changes import Changes
from services.rewards.domain.members.parting import OpenReservation, TakenBack
from services.rewards.domain.needs import Needs
from services.rewards.domain.state.member import Member
from shared.alerts.following import move_alerts
from shared.bus.interface import Outbox
from shared.program.model.tiers import Measure

_CREATE = text("""
    INSERT INTO rewards.members (customer_id, entries, available, pending, reserved, debt, lifetime_earned,
        tier_changes, spend)
    SELECT id, 0, 0, 0, 0, 0, 0, 0, 0 FROM unnest(CAST(:ids AS text[])) AS w(id) ORDER BY id COLLATE "C"
    ON CONFLICT (customer_id) DO NOTHING RETURNING customer_id
    """)


@dataclass(frozen=True, slots=True)
class PostgresMembers:
    """Implements `Members`. `outbox` takes the outcomes into the same transaction."""

    outbox: Outbox

    async def lock(
        self, connection: AsyncConnection, customer_ids: Iterable[str], *, create: bool
    ) -> dict[str, Member]:
        """See `Members.lock`."""
        wanted = set(customer_ids)
        found = await member_rows.lock(connection, wanted)
        missing = wanted - found.keys()
        if missing and create:
            created = await connection.execute(_CREATE, {"ids": sorted(missing)})
            found.update((id_, Member(id_, new=True)) for (id_,) in created)
            # Somebody else may have made the rest since we looked.
            found.update(await member_rows.lock(connection, wanted - found.keys()))
        await member_rows.lock_merged(connection, found)
        return {id_: found[found[id_].merged_into or id_] for id_ in wanted if id_ in found}

    async def lock_exactly(
        self, connection: AsyncConnection, customer_ids: Iterable[str]
    ) -> dict[str, Member]:
        """See `Members.lock_exactly`."""
        wanted = set(customer_ids)
        await connection.execute(_CREATE, {"ids": sorted(wanted)})
        return await member_rows.lock(connection, wanted)

    async def parts(self, connection: AsyncConnection, parts: Iterable[str]) -> dict[str, tuple[str, int]]:
        """See `Members.parts`."""
        return await moving.parts(connection, parts)

    async def note_parts(
        self, connection: AsyncConnection, parts: Iterable[str], customer_id: str, epoch: int
    ) -> None:
        """See `Members.note_parts`."""
        await moving.note_parts(connection, parts, customer_id, epoch)

    async def move_parts(
        self, connection: AsyncConnection, source: Member, target: Member, parts: Iterable[str], now: datetime
    ) -> None:
        """See `Members.move_parts`."""
        names = list(parts)
        await moving.move_parts(connection, source, target, names, now)
        await move_alerts(connection, source.customer_id, target.customer_id, names)

    async def earned_by(
        self, connection: AsyncConnection, source: Member, target: Member, parts: Iterable[str]
    ) -> int:
        """See `Members.earned_by`."""
        return await moving.earned_by(connection, source, target, parts)

    async def taken_back(self, connection: AsyncConnection, customer_id: str, cause: str) -> list[TakenBack]:
        """See `Members.taken_back`."""
        return await moving.taken_back(connection, customer_id, cause)

    async def open_reservations(self, connection: AsyncConnection, customer_id: str) -> list[OpenReservation]:
        """See `Members.open_reservations`."""
        return await moving.open_reservations(connection, customer_id)

    async def retake(self, connection: AsyncConnection, reservation: OpenReservation) -> None:
        """See `Members.retake`."""
        await moving.retake(connection, reservation)

    async def load(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        needs: Needs,
        spend_since: datetime | None,
        measure: Measure | None = None,
    ) -> None:
        """See `Members.load`."""
        await loading.load_purchases(connection, members, needs.orders)
        await loading.load_uses(connection, members, needs.uses)
        await loading.load_milestones(connection, members, needs.milestones)
        await loading.load_series(connection, members, needs.series)
        known = [
            (customer, order_id, purchase, purchase.lot)
            for customer, order_id in needs.completed | needs.undoing
            if (purchase := members[customer].purchases.get(order_id)) and purchase.lot is not None
        ]
        told_again = {customer for customer, order_id, *_ in known if (customer, order_id) in needs.completed}
        # What is due pays a debt before what is earned now.
        owing = {id_ for id_, member in members.items() if member.debt}
        draws = dict.fromkeys(needs.lots | told_again | owing, 0)
        for customer, _, purchase, _ in known:
            more = draws[customer] + purchase.held()
            draws[customer] = lots.EVERYTHING if customer in needs.renewed else more
        await lots.load_lots(connection, members, draws, needs.due_by)
        await lots.load_numbered_lots(connection, members, [(customer, lot) for customer, *_, lot in known])
        await lots.load_expired_lots(connection, members, needs.expired_since)
        undoing = needs.undoing | {
            key
            for key in needs.completed
            if (purchase := members[key[0]].purchases.get(key[1]))
            and (purchase.refunds or purchase.cancelled)
        }
        if undoing:
            await checkouts.load_for_orders(connection, members, undoing)
            await offer_uses.load_for_orders(connection, members, undoing)
        if spend_since is not None:
            await roll_spend(connection, members, needs.spend, spend_since)
        if measure is not None:
            again = needs.tiers | told_again
            await standings.load_counted(connection, members, again, measure)

    async def load_benefits(
        self, connection: AsyncConnection, members: dict[str, Member], customers: Collection[str]
    ) -> None:
        """See `Members.load_benefits`."""
        await standings.load_benefits(connection, members, customers)

    async def load_all(
        self, connection: AsyncConnection, member: Member, measure: Measure | None = None
    ) -> None:
        """See `Members.load_all`."""
        await loading.load_all(connection, member)
        if measure is not None:
            this = {member.customer_id: member}
            await standings.load_counted(connection, this, this, measure)

    async def save(self, connection: AsyncConnection, changes: Changes) -> None:
        """See `Members.save`."""
        await saving.save(connection, changes, self.outbox)

    async def move(self, connection: AsyncConnection, source: Member, target: Member) -> None:
        """See `Members.move`."""
        await moving.move(connection, source, target)
        await move_alerts(connection, source.customer_id, target.customer_id)

    async def revoke_offers(
        self, connection: AsyncConnection, member: Member, rules: list[str], now: datetime
    ) -> list[tuple[str, str]]:
        """See `Members.revoke_offers`."""
        return await moving.revoke_offers(connection, member.customer_id, rules, now) if rules else []
