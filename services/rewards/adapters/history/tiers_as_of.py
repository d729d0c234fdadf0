"""A member as they stood towards tiers at a moment of the past: what was kept of it then (`standings`), the grants of
then, and what counted then: orders as they are now, less what the records say was told of them since."""

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.history.as_of import DIVIDED, NotKnownError, check_divided
from services.rewards.adapters.members.loading import load_purchases
from services.rewards.adapters.tiering.standings import load_counted
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member, TierGrant
from services.rewards.domain.state.purchases import ORDERS
from services.rewards.domain.tiering import counting
from services.rewards.domain.tiering.past_orders import NotToldError, before
from services.rewards.domain.tiering.tiers import measure_of, start_of_window
from shared.contracts.activity import Activity
from shared.contracts.codec import decode
from shared.program.model.program import Program
from shared.program.model.tiers import Measure

RECORDS_MAX = 20_000
"""Of a customer with more than that, what counted is not worked out."""

# Those that were merged into the customer since are looked at too. What was kept last counts, by whichever clock.
_STANDINGS = text("""
    SELECT s.customer_id, s.tier, s.tier_since, s.tier_until, s.tier_status, s.joined_at
    FROM unnest(CAST(:ids AS text[])) AS w(id)
    CROSS JOIN LATERAL (
        SELECT * FROM rewards.standings WHERE customer_id = w.id AND at <= :at ORDER BY number DESC LIMIT 1
    ) s
    """)
# Nor while a process of an earlier release, which keeps none, changed how they stand.
_NOT_KEPT = text("""
    SELECT EXISTS (
        SELECT FROM rewards.standings WHERE customer_id = ANY(CAST(:ids AS text[])) AND first AND at > :at
    ) OR EXISTS (
        SELECT FROM rewards.members m LEFT JOIN LATERAL (
            SELECT * FROM rewards.standings WHERE customer_id = m.customer_id ORDER BY number DESC LIMIT 1
        ) s ON true
        WHERE m.customer_id = ANY(CAST(:ids AS text[])) AND coalesce(s.at <= :at, true)
            AND (m.tier, m.tier_since, m.tier_until, m.tier_status, m.joined_at)
                IS DISTINCT FROM (s.tier, s.tier_since, s.tier_until, coalesce(s.tier_status, ''), s.joined_at)
    )
    """)
_MERGED = text("""
    SELECT m.customer_id, coalesce(i.taken_at > :at, false) FROM rewards.members m
    LEFT JOIN rewards.inbox i ON i.id = m.merged_by
    WHERE m.merged_into = :id
    """)
_GRANTS = text("""
    SELECT id, tier, at, until, part FROM rewards.tier_grants
    WHERE customer_id = :id AND at <= :at AND (revoked_at IS NULL OR revoked_at > :at)
    """)
_RECORDS = text("""
    SELECT taken_at > :at, record FROM rewards.activities
    WHERE customer_id = ANY(CAST(:ids AS text[])) ORDER BY number LIMIT :limit
    """)
_ANY_SINCE = text("""
    SELECT count(*) > 0 FROM rewards.activities WHERE customer_id = ANY(CAST(:ids AS text[])) AND taken_at > :at
    """)

# Of before the first month that is kept. Asked for when records have been read: until the transaction ends none of
# their months can be dropped.
_RECORDS_GONE = text("""
    SELECT CAST(:at AS timestamptz) < min(to_timestamp(right(c.relname, 7) || '+00', 'YYYY_MMTZH')) IS NOT FALSE
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'rewards.activities'::regclass
    """)
_OTHERS = text("""
    SELECT count(*) > 0 FROM rewards.purchases
    WHERE customer_id = :id AND placed_at IS NOT NULL AND (lot IS NULL OR lot <> ALL (CAST(:lots AS bigint[])))
    """)


class _Told(NamedTuple):
    """What was told of an order by then, and since."""

    then: list[Activity]
    later: list[Activity]


async def member_at(
    connection: AsyncConnection, customer_id: str, program: Program, moment: datetime
) -> Member:
    """The member as of `moment`, under the program of then; `counted` is None where what counted is not known.
    In a transaction with one snapshot. Raises `NotKnownError`."""
    divided_at = await connection.scalar(DIVIDED, {"id": customer_id})
    check_divided(divided_at, moment)
    merged = list(await connection.execute(_MERGED, {"id": customer_id, "at": moment}))
    apart = [id_ for id_, since in merged if since]
    member = await _standing(connection, customer_id, apart, moment)
    measure = measure_of(program)
    try:
        if measure is Measure.POINTS or apart or divided_at is not None:
            raise NotToldError
        if measure is not None:
            await _count(connection, member, [customer_id, *(id_ for id_, _ in merged)], moment)
            await _sum_up(connection, member, program, measure, moment)
    except NotToldError:
        if measure is not None and member.tier_until is not None and member.tier_until <= moment:
            raise NotKnownError(
                "the time of the tier was over then and nobody had looked at it anew yet; what counted for that is not"
                " known any more; ask for a later moment"
            ) from None
    return member


async def _standing(
    connection: AsyncConnection, customer_id: str, apart: list[str], moment: datetime
) -> Member:
    """How the customer stood; if there were several who are one now, as the only one of them who stood anywhere."""
    key = {"ids": [customer_id, *apart], "at": moment}
    if await connection.scalar(_NOT_KEPT, key):
        raise NotKnownError(
            "how customers stood was not kept then yet; GET /v1/customers/{customer}/tier/history says which tier they"
            " came to have, and when"
        )
    stood = {row[0]: row for row in await connection.execute(_STANDINGS, key)}
    with_tier = [row for row in stood.values() if row.tier is not None]
    if len(with_tier) > 1:
        raise NotKnownError(
            "there were several customers then, who are one now, each with a tier of their own; ask for a later moment"
        )
    row = with_tier[0] if with_tier else stood.get(customer_id)
    member = Member(customer_id)
    if row is not None:
        _, member.tier, member.tier_since, member.tier_until, member.tier_status, member.joined_at = row
    bound = {"id": customer_id, "at": moment}
    member.grants = [TierGrant(*grant) for grant in await connection.execute(_GRANTS, bound)]
    return member


async def _count(connection: AsyncConnection, member: Member, ids: list[str], moment: datetime) -> None:
    """Bring to hand the orders of which something was told since, as they were then. Raises `NotToldError`."""
    any_since = await connection.scalar(_ANY_SINCE, {"ids": ids, "at": moment})
    gone = await connection.scalar(_RECORDS_GONE, {"at": moment})
    if not any_since and not gone:
        return
    bound = {"ids": ids, "at": moment, "limit": RECORDS_MAX + 1}
    rows = list(await connection.execute(_RECORDS, bound))
    if len(rows) > RECORDS_MAX:
        raise NotToldError
    told: dict[str, _Told] = defaultdict(lambda: _Told([], []))
    for since, record in rows:
        activity = decode(record, Activity)
        if activity.type in ORDERS:
            told[str(activity.data["order_id"])][since].append(activity)
    if gone:
        lots = [lot_number(each.id) for one in told.values() for each in one.later]
        if await connection.scalar(_OTHERS, {"id": member.customer_id, "lots": lots}):
            raise NotToldError  # what was told of them from the moment on may be gone
    keys = [(member.customer_id, order_id) for order_id, each in told.items() if each.later]
    await load_purchases(connection, {member.customer_id: member}, keys)
    for order_id, purchase in member.purchases.items():
        member.purchases[order_id] = before(purchase, *told[order_id])


async def _sum_up(
    connection: AsyncConnection, member: Member, program: Program, measure: Measure, moment: datetime
) -> None:
    """Fill in what counted, and what was spent; orders at hand count as they are there."""
    grants, this = member.grants, {member.customer_id: member}
    await load_counted(connection, this, this, Measure.SPEND)
    start = start_of_window(program, moment)
    assert start is not None, "there is a measure"
    member.spend, member.spend_since = counting.total(counting.counted(member, Measure.SPEND), start), start
    if measure is not Measure.SPEND:
        await load_counted(connection, this, this, measure)
    member.grants = grants
