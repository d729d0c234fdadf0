"""A merge in PostgreSQL: the rows of one customer become another's. The ledger's own rows stay as they are."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.members.parting import OpenReservation, TakenBack
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member

_S, _T = "CAST(:source AS text)", "CAST(:target AS text)"
_UNIQUE = {
    "purchases": "o.order_id = t.order_id",
    "rule_uses": "o.rule = t.rule AND o.cause = t.cause",
    "milestones": "o.milestone = t.milestone AND o.occasion = t.occasion",
    "tier_benefits": "o.tier = t.tier AND o.offer = t.offer",
    "referrals": "true",
}
"""What a customer can have once: where both have it, each row stays where it is."""
_PARTED = (
    "lots",
    "purchases",
    "rule_uses",
    "milestones",
    "offers",
    "offer_uses",
    "redemptions",
    "tier_grants",
    "tier_benefits",
    "referral_ids",
    "referrals",
    "campaign_runs",
    "campaign_messages",
)
"""Tables whose rows tell the part of the customer that they came from."""


def _unless_both(table: str) -> str:
    if table not in _UNIQUE:
        return ""
    return f" AND NOT EXISTS (SELECT FROM rewards.{table} o WHERE o.customer_id = {_T} AND {_UNIQUE[table]})"


_STAY = (
    " AND (t.rule, t.cause) NOT IN"
    ' (SELECT * FROM unnest(CAST(:rules AS text[]) COLLATE "C", CAST(:causes AS text[]) COLLATE "C"))'
)
_MOVE_USES = text(
    f"UPDATE rewards.rule_uses t SET customer_id = {_T}, part = coalesce(t.part, {_S})"  # noqa: S608
    f" WHERE t.customer_id = {_S}{_unless_both('rule_uses')}{_STAY}"
)
# Until when goals may be reached: of either, which is at worst too long.
_GOALS = text(f"""
    UPDATE rewards.members t SET goals_until = greatest(t.goals_until, s.goals_until)
    FROM rewards.members s WHERE t.customer_id = {_T} AND s.customer_id = {_S} AND s.goals_until IS NOT NULL
    """)  # noqa: S608
_MOVES = [
    _GOALS,
    *(
        text(
            f"UPDATE rewards.{table} t SET customer_id = {_T}, part = coalesce(t.part, {_S})"  # noqa: S608
            f" WHERE t.customer_id = {_S}{_unless_both(table)}"
        )
        for table in _PARTED
        if table != "rule_uses"
    ),
    *(
        text(f"UPDATE rewards.{table} SET {column} = {_T} WHERE {column} = {_S}")  # noqa: S608
        for table, column in (
            ("aliases", "customer_id"),
            ("members", "merged_into"),
        )
    ),
]
# A referral that waits for an order has perhaps come to one. `at` is a moment that is over: it is due at once.
_WAKE = text(f"""
    UPDATE rewards.referrals SET due_at = at
    WHERE customer_id IN ({_S}, {_T}) AND due_at IS NULL AND closed IS NULL
    """)  # noqa: S608
_REVOKE = text("""
    UPDATE rewards.offers SET revoked_at = :now
    WHERE customer_id = :customer AND rule = ANY(CAST(:rules AS text[])) AND used = 0 AND revoked_at IS NULL
    RETURNING code, offer
    """)


async def move(connection: AsyncConnection, source: Member, target: Member) -> None:
    """Make the stored rows of `source` the `target`'s; what both have stays where it is, and uses of rules that the
    source still has. Both are locked."""
    bound = {"source": source.customer_id, "target": target.customer_id}
    for statement in _MOVES:
        await connection.execute(statement, bound)
    stay = [(rule, use.cause) for rule, uses in source.uses.items() for use in uses]
    keys = {"rules": [rule for rule, _ in stay], "causes": [cause for _, cause in stay]}
    await connection.execute(_MOVE_USES, bound | keys)
    await connection.execute(_WAKE, bound)


async def revoke_offers(
    connection: AsyncConnection, customer_id: str, rules: list[str], now: datetime
) -> list[tuple[str, str]]:
    """Revoke the unused offers that these rules gave; their codes and names."""
    rows = await connection.execute(_REVOKE, {"customer": customer_id, "rules": rules, "now": now})
    return [(code, offer) for code, offer in rows]


_OF_PARTS = f"t.customer_id = {_S} AND coalesce(t.part, {_S}) = ANY(CAST(:parts AS text[]))"
_PART_MOVES = [
    _GOALS,
    text(
        f"UPDATE rewards.members SET merged_into = {_T} WHERE merged_into = {_S}"  # noqa: S608
        f" AND customer_id = ANY(CAST(:parts AS text[])) AND customer_id <> {_T}"
    ),
    *(
        text(
            f"UPDATE rewards.{table} t SET customer_id = {_T},"  # noqa: S608
            f" part = nullif(coalesce(t.part, {_S}), {_T}) WHERE {_OF_PARTS}{_unless_both(table)}"
        )
        for table in _PARTED
    ),
]
# Periods of a part may have stayed with a customer who was merged then, as the next one had some too.
_RETURN_PERIODS = text(f"""
    UPDATE rewards.tier_benefits t SET customer_id = {_T}, part = nullif(t.part, {_T})
    FROM (
        SELECT DISTINCT ON (b.tier, b.offer) b.customer_id, b.tier, b.offer
        FROM rewards.members m JOIN rewards.tier_benefits b USING (customer_id)
        WHERE m.merged_into = {_S} AND m.customer_id <> {_T} AND b.part = ANY(CAST(:parts AS text[]))
        ORDER BY b.tier, b.offer, b.anchor
    ) s
    WHERE (t.customer_id, t.tier, t.offer) = (s.customer_id, s.tier, s.offer){_unless_both("tier_benefits")}
    """)  # noqa: S608
_DIVIDE = text(f"""
    UPDATE rewards.members SET divided_at = :now WHERE customer_id IN ({_S}, {_T})
    """)  # noqa: S608
_PARTS = text("SELECT part, customer_id, epoch FROM rewards.parts WHERE part = ANY(CAST(:parts AS text[]))")
_NOTE_PARTS = text("""
    INSERT INTO rewards.parts (part, customer_id, epoch)
    SELECT part, CAST(:customer AS text), CAST(:epoch AS bigint) FROM unnest(CAST(:parts AS text[])) AS w(part)
    ON CONFLICT (part) DO UPDATE SET customer_id = excluded.customer_id, epoch = excluded.epoch
    """)
_POINTS = text(f"SELECT t.lot, t.points FROM rewards.lots t WHERE {_OF_PARTS}")  # noqa: S608
_BY_HAND = text("""
    SELECT id FROM rewards.adjustments WHERE customer_id = ANY(CAST(:customers AS text[])) AND points > 0
    """)
_LOST = text("""
    SELECT coalesce(sum(e.points), 0) FROM rewards.members m
    JOIN rewards.entries e ON e.customer_id = m.customer_id AND e.kind = 'reverse' AND e.cause = m.merged_by
    WHERE m.customer_id = ANY(CAST(:parts AS text[])) AND m.customer_id <> :target AND m.merged_into = :source
    """)
_TAKEN_BACK = text("""
    SELECT rule, key, sum(points) FROM rewards.entries
    WHERE customer_id = :customer AND kind = 'reverse' AND cause = :cause GROUP BY rule, key ORDER BY rule, key
    """)
_RESERVED = text("""
    SELECT id, part, points, taken FROM rewards.redemptions
    WHERE customer_id = :customer AND status = 'reserved' ORDER BY id
    """)
_RETAKE = text("UPDATE rewards.redemptions SET taken = :taken WHERE id = :id")
_taken = json.Decoder(list[tuple[int, int]])


async def parts(connection: AsyncConnection, names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Whose these parts are now, and by which change; those that never moved are missing."""
    rows = await connection.execute(_PARTS, {"parts": list(names)})
    return {part: (customer_id, epoch) for part, customer_id, epoch in rows}


async def note_parts(connection: AsyncConnection, names: Iterable[str], customer_id: str, epoch: int) -> None:
    """These parts are this customer's, since the change of this number."""
    bound = {"parts": sorted(names), "customer": customer_id, "epoch": epoch}
    await connection.execute(_NOTE_PARTS, bound)


async def move_parts(
    connection: AsyncConnection, source: Member, target: Member, names: Iterable[str], now: datetime
) -> None:
    """Make the stored rows of these parts of `source` the `target`'s; what both have stays where it is."""
    bound = {"source": source.customer_id, "target": target.customer_id, "parts": list(names)}
    for statement in (*_PART_MOVES, _RETURN_PERIODS):
        await connection.execute(statement, bound)
    ends = {"source": source.customer_id, "target": target.customer_id}
    await connection.execute(_WAKE, ends)
    await connection.execute(_DIVIDE, ends | {"now": now})


async def earned_by(connection: AsyncConnection, source: Member, target: Member, names: Iterable[str]) -> int:
    """The points that were ever earned into the lots of these parts, less what merges that stand took back of them;
    those given by hand are not."""
    bound = {"source": source.customer_id, "parts": list(names)}
    lost = await connection.scalar(_LOST, bound | {"target": target.customer_id})
    lots = {lot: points for lot, points in await connection.execute(_POINTS, bound)}  # noqa: C416
    given = await connection.execute(_BY_HAND, {"customers": [source.customer_id, *bound["parts"]]})
    by_hand = sum(lots.get(lot_number(id_), 0) for (id_,) in given)
    return int(sum(lots.values()) - by_hand - (lost or 0))


async def taken_back(connection: AsyncConnection, customer_id: str, cause: str) -> list[TakenBack]:
    """What a cause took back from a customer."""
    rows = await connection.execute(_TAKEN_BACK, {"customer": customer_id, "cause": cause})
    return [TakenBack(rule, key, int(points)) for rule, key, points in rows]


async def open_reservations(connection: AsyncConnection, customer_id: str) -> list[OpenReservation]:
    """The customer's reservations that are neither confirmed nor released."""
    rows = await connection.execute(_RESERVED, {"customer": customer_id})
    return [OpenReservation(id_, part, points, _taken.decode(taken)) for id_, part, points, taken in rows]


async def retake(connection: AsyncConnection, reservation: OpenReservation) -> None:
    """Store which lots a reservation took from."""
    taken = json.encode(reservation.taken).decode()
    await connection.execute(_RETAKE, {"id": reservation.id, "taken": taken})
