"""Tiers in PostgreSQL: what counts towards them, what was granted and is brought by them."""

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.sets import Writes
from services.rewards.domain.changes import Changes
from services.rewards.domain.state.member import BenefitRun, Counted, Member, TierGrant
from services.rewards.domain.state.purchases import Grant
from services.rewards.domain.tiering.counting import lot_key
from shared.program.model.tiers import Measure
from shared.program.values.period import Period

_grants = json.Decoder(list[Grant])

_SPEND = text("""
    SELECT customer_id, order_id, placed_at, net FROM rewards.purchases
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND counts AND net > 0
    """)
_ORDERS = text("""
    SELECT customer_id, order_id, placed_at, 1 FROM rewards.purchases
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND placed_at IS NOT NULL AND NOT cancelled
        AND (net > 0 OR refunds IS NULL OR total = 0)
    """)
_ORDER_POINTS = text("""
    SELECT customer_id, order_id, placed_at, lot, grants FROM rewards.purchases
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND placed_at IS NOT NULL AND grants IS NOT NULL
    """)
# After a merge the entries stay where they are and the lots go: points count for whoever has the lot.
_OTHER_POINTS = text("""
    SELECT l.customer_id, l.lot, e.kind, e.at, e.points, e.key FROM rewards.members m
    JOIN rewards.entries e ON e.customer_id = m.customer_id AND e.kind IN ('earn', 'reverse')
    JOIN rewards.lots l ON l.customer_id = coalesce(m.merged_into, m.customer_id)
        AND l.lot = CASE WHEN e.kind = 'earn' THEN e.lot
                         WHEN split_part(e.key, '/', 4) ~ '^[0-9]{1,19}$' THEN split_part(e.key, '/', 4)::numeric END
    WHERE coalesce(m.merged_into, m.customer_id) = ANY(CAST(:customers AS text[]))
    """)
_GRANTS = text("""
    SELECT customer_id, id, tier, at, until, part FROM rewards.tier_grants
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND revoked_at IS NULL
    """)
_BENEFITS = text("""
    SELECT customer_id, tier, offer, anchor, every, issued, part FROM rewards.tier_benefits
    WHERE customer_id = ANY(CAST(:customers AS text[]))
    """)
_UPDATE_BENEFITS = text("""
    UPDATE rewards.tier_benefits b SET anchor = w.anchor, every = w.every, issued = w.issued
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[]), CAST(:c2 AS text[]), CAST(:c3 AS timestamptz[]),
        CAST(:c4 AS text[]), CAST(:c5 AS int[])) AS w(customer_id, tier, offer, anchor, every, issued)
    WHERE b.customer_id = w.customer_id AND b.tier = w.tier AND b.offer = w.offer
    """)


async def load_counted(
    connection: AsyncConnection, members: dict[str, Member], customers: Collection[str], measure: Measure
) -> None:
    """All that counts of these customers towards tiers, and the tiers granted to them."""
    if not customers:
        return
    key = {"customers": list(customers)}
    for id_ in customers:
        members[id_].counted = {}
        members[id_].grants = []
    if measure is Measure.POINTS:
        await _load_points(connection, members, key)
    else:
        statement = _SPEND if measure is Measure.SPEND else _ORDERS
        for customer, order_id, placed_at, amount in await connection.execute(statement, key):
            _counted(members[customer])[order_id] = Counted(placed_at, Decimal(amount))
    for customer, *grant in await connection.execute(_GRANTS, key):
        members[customer].grants.append(TierGrant(*grant))


async def _load_points(
    connection: AsyncConnection, members: dict[str, Member], key: dict[str, list[str]]
) -> None:
    of_orders: set[tuple[str, int]] = set()
    for customer, order_id, placed_at, lot, grants in await connection.execute(_ORDER_POINTS, key):
        points = sum(grant.earned - grant.reversed for grant in _grants.decode(grants))
        if points:
            _counted(members[customer])[order_id] = Counted(placed_at, Decimal(points))
        of_orders.add((customer, lot))
    given: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    moments = {}
    for customer, lot, kind, at, points, _ in await connection.execute(_OTHER_POINTS, key):
        if (customer, lot) in of_orders:
            continue
        given[customer, lot] += points if kind == "earn" else -points
        if kind == "earn":
            moments[customer, lot] = at
    for (customer, lot), amount in given.items():
        if amount > 0 and (customer, lot) in moments:
            _counted(members[customer])[lot_key(lot)] = Counted(moments[customer, lot], amount)


def _counted(member: Member) -> dict[str, Counted]:
    assert member.counted is not None
    return member.counted


async def load_benefits(
    connection: AsyncConnection, members: dict[str, Member], customers: Collection[str]
) -> None:
    """What tiers have brought these customers so far."""
    if not customers:
        return
    for customer, tier, offer, anchor, every, issued, part in await connection.execute(
        _BENEFITS, {"customers": list(customers)}
    ):
        period = None if every is None else Period.parse(every)
        run = BenefitRun(anchor, period, issued, part, stored=True, changed=False)
        members[customer].benefits[tier, offer] = run


def write_benefits(writes: Writes, changes: Changes) -> None:
    """What tiers have brought."""
    members = changes.standings.values()
    runs = [(run, m.customer_id, *key) for m in members for key, run in m.benefits.items() if run.changed]
    rows = [(run, (*key, run.anchor, _said(run.every), run.issued)) for run, *key in runs]
    writes.update(_UPDATE_BENEFITS, [row for run, row in rows if run.stored])
    columns = ("customer_id", "tier", "offer", "anchor", "every", "issued", "part")
    writes.insert("tier_benefits", columns, [(*row, run.part) for run, row in rows if not run.stored])


def _said(every: Period | None) -> str | None:
    return None if every is None else str(every)
