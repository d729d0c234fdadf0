"""What is kept about why something was given: everything that happened for one cause."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.explaining.referral_verdicts import Friend
from services.rewards.domain.explaining.verdicts import Given
from services.rewards.domain.state.accounts import Kind

_ENTRY = text("""
    SELECT customer_id, number, at, recorded_at, kind, debit, credit, points, lot, rule, cause, program_version
    FROM rewards.entries WHERE customer_id = :customer AND number = :number
    """)
# A lot keeps its number when it moves to another customer; its entries stay with whom they were posted to.
# Each part is read once, however many lots there are: joined as they come, some were read anew for each. For looking
# each lot up by its key OFFSET 0 stands.
_LOTS = text("""
    WITH touched AS (
        SELECT lot, sum(points) AS moved FROM rewards.entries
        WHERE customer_id = ANY(CAST(:owners AS text[])) AND cause = :cause AND lot IS NOT NULL
            AND kind = ANY(CAST(:kinds AS text[])) GROUP BY lot
    ), ordered AS (
        SELECT l.*, t.moved::bigint AS moved, count(*) OVER () AS in_all,
            row_number() OVER (ORDER BY l.expires_at NULLS LAST, l.lot) AS place
        FROM touched t CROSS JOIN LATERAL (
            SELECT * FROM rewards.lots l
            WHERE l.customer_id = ANY(CAST(:customers AS text[])) AND l.lot = t.lot OFFSET 0
        ) AS l
    ), shown AS MATERIALIZED (
        SELECT * FROM ordered WHERE place <= :most OR lot = CAST(:besides AS bigint)
    ), filled AS MATERIALIZED (
        SELECT e.lot, min(e.at) AS filled_at,
            array_agg(DISTINCT e.rule) FILTER (WHERE e.rule IS NOT NULL) AS rules
        FROM rewards.entries e
        WHERE e.lot = ANY(ARRAY(SELECT lot FROM shown)) AND e.customer_id = ANY(CAST(:customers AS text[]))
            AND e.kind IN ('earn', 'adjust') AND e.credit IN ('customer:pending', 'customer:available')
        GROUP BY e.lot
    ), bought AS MATERIALIZED (
        SELECT p.customer_id, p.lot, min(p.order_id) AS order_id
        FROM rewards.purchases p
        WHERE p.lot = ANY(ARRAY(SELECT lot FROM shown)) AND p.customer_id = ANY(CAST(:customers AS text[]))
        GROUP BY p.customer_id, p.lot
    )
    SELECT l.lot, l.points, l.remaining, l.expired, l.expires_at, l.moved, l.in_all, f.filled_at, f.rules, b.order_id
    FROM shown l LEFT JOIN filled f ON f.lot = l.lot
        LEFT JOIN bought b ON b.customer_id = l.customer_id AND b.lot = l.lot
    ORDER BY l.place
    """)
_PURCHASE = text("""
    SELECT order_id, placed_at, currency, total, net FROM rewards.purchases
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND order_id = :order_id AND placed_at IS NOT NULL
    ORDER BY cancelled, customer_id LIMIT 1
    """)
_ADJUSTMENT = text("SELECT points, reason, actor, at FROM rewards.adjustments WHERE id = :id")
_REDEMPTION = text("SELECT order_id, points, value, currency, status FROM rewards.redemptions WHERE id = :id")
_TIER = text("""
    SELECT number, at, old, new, reason, spend, cause, program_version, until FROM rewards.tier_history
    WHERE customer_id = :customer AND (:tier = 'current' OR new = :tier) ORDER BY number DESC LIMIT 1
    """)
_TIER_GRANT = text("SELECT reason, actor FROM rewards.tier_grants WHERE id = :id")
_FRIEND = text("""
    SELECT due_at, closed FROM rewards.referrals
    WHERE referral_id = :referral AND (:bringer OR customer_id = ANY(CAST(:customers AS text[])))
    ORDER BY closed = 'rewarded' DESC NULLS LAST, due_at LIMIT 1
    """)
_FAMILY = text(
    "SELECT customer_id FROM rewards.members WHERE customer_id = :customer OR merged_into = :customer"
)
_TAKEN = text("SELECT taken_at, number FROM rewards.inbox WHERE id = :id")
_LATER = text("""
    SELECT id FROM rewards.inbox WHERE id = ANY(CAST(:causes AS text[])) AND number > CAST(:number AS bigint)
    """)
# What the activity itself changed, else the last change before it: at an earlier moment, or earlier in its batch.
_TIER_BEFORE = text("""
    SELECT CASE WHEN h.cause = :cause THEN h.old ELSE h.new END
    FROM rewards.tier_history h LEFT JOIN rewards.inbox i ON i.id = h.cause
    WHERE h.customer_id = :customer AND (h.cause = :cause OR h.at < :at OR (h.at = :at AND i.number < :number))
    ORDER BY h.cause = :cause DESC, CASE WHEN h.cause = :cause THEN h.number ELSE -h.number END LIMIT 1
    """)
_GIVEN_POINTS = text("""
    SELECT rule, sum(points)::bigint, array_agg(customer_id || '-' || number ORDER BY number)
    FROM rewards.entries
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND cause = :cause AND kind = 'earn' AND rule IS NOT NULL
    GROUP BY rule
    """)
_GIVEN_OFFERS = text("""
    SELECT rule, array_agg(code ORDER BY code) FROM rewards.offers
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND cause = :cause GROUP BY rule
    """)
_DECIDED = text("""
    SELECT max(program_version) FROM (
        SELECT program_version FROM rewards.entries
        WHERE customer_id = ANY(CAST(:customers AS text[])) AND cause = :cause
        UNION ALL SELECT program_version FROM rewards.milestones
        WHERE customer_id = ANY(CAST(:customers AS text[])) AND cause = :cause
        UNION ALL SELECT program_version FROM rewards.tier_history
        WHERE customer_id = ANY(CAST(:customers AS text[])) AND cause = :cause
    ) AS decided
    """)


@dataclass(frozen=True, slots=True)
class Effects:
    """What an event led to: what each rule gave, and the program version with which it was decided; None where it
    left no trace that would tell."""

    given: dict[str, Given]
    version: int | None


async def entry(connection: AsyncConnection, customer_id: str, number: int) -> Any | None:
    """One ledger entry."""
    return (await connection.execute(_ENTRY, {"customer": customer_id, "number": number})).first()


async def family(connection: AsyncConnection, customer_id: str) -> list[str]:
    """The customer and everyone merged into them."""
    return [row[0] for row in await connection.execute(_FAMILY, {"customer": customer_id})]


async def lots(
    connection: AsyncConnection,
    customers: list[str],
    owners: list[str],
    cause: str,
    kinds: Collection[Kind],
    *,
    most: int,
    besides: int | None = None,
) -> list[Any]:
    """The lots that entries of these owners, this cause and these kinds touched, with whomever of the customers a merge
    has brought them since: how many points they moved of each, and which rules had filled it when, for which order.
    Those that expire first, `most` of them, and the one `besides`; `in_all` is how many there are."""
    bound = {"customers": customers, "owners": owners, "cause": cause, "kinds": list(kinds)}
    return list(await connection.execute(_LOTS, bound | {"most": most, "besides": besides}))


async def purchase(connection: AsyncConnection, customers: list[str], order_id: str) -> Any | None:
    """The order of that id."""
    return (await connection.execute(_PURCHASE, {"customers": customers, "order_id": order_id})).first()


async def adjustment(connection: AsyncConnection, id_: str) -> Any | None:
    """An adjustment by its id."""
    return (await connection.execute(_ADJUSTMENT, {"id": id_})).first()


async def redemption(connection: AsyncConnection, id_: str) -> Any | None:
    """A redemption by its id."""
    return (await connection.execute(_REDEMPTION, {"id": id_})).first()


async def tier_change(connection: AsyncConnection, customer_id: str, tier: str) -> Any | None:
    """The newest change to this tier (`current`: the newest change)."""
    return (await connection.execute(_TIER, {"customer": customer_id, "tier": tier})).first()


async def tier_grant(connection: AsyncConnection, id_: str) -> Any | None:
    """The tier that was granted by hand under this id."""
    return (await connection.execute(_TIER_GRANT, {"id": id_})).first()


async def friend(
    connection: AsyncConnection, customers: list[str], referral_id: str, *, bringer: bool
) -> Friend | None:
    """How the referral of this id stands: of one of these friends, or, for its `bringer`, of any who came by it."""
    bound = {"referral": referral_id, "customers": customers, "bringer": bringer}
    row = (await connection.execute(_FRIEND, bound)).first()
    return Friend(row[0], row[1]) if row is not None else None


async def taken(connection: AsyncConnection, id_: str) -> tuple[datetime, int] | None:
    """When an activity was decided about, and its number among all; None for one that never came."""
    row = (await connection.execute(_TAKEN, {"id": id_})).first()
    return (row[0], row[1]) if row is not None and row[0] is not None else None


async def later(connection: AsyncConnection, causes: list[str], number: int) -> set[str]:
    """Which of these activities were decided after the one of that number."""
    rows = await connection.execute(_LATER, {"causes": causes, "number": number})
    return {row[0] for row in rows}


async def tier_before(
    connection: AsyncConnection, customer_id: str, cause: str, at: datetime, number: int
) -> str | None:
    """The tier that the customer had before an activity was decided at that moment; None: none had been reached."""
    bound = {"customer": customer_id, "cause": cause, "at": at, "number": number}
    tier: str | None = await connection.scalar(_TIER_BEFORE, bound)
    return tier


async def effects(connection: AsyncConnection, customers: list[str], cause: str) -> Effects:
    """What an activity led to for these customers."""
    bound = {"customers": customers, "cause": cause}
    given: dict[str, Given] = {}
    for rule, points, entries in await connection.execute(_GIVEN_POINTS, bound):
        given[rule] = Given(points=points, entries=tuple(entries))
    for rule, codes in await connection.execute(_GIVEN_OFFERS, bound):
        before = given.get(rule, Given())
        given[rule] = Given(points=before.points, entries=before.entries, offers=tuple(codes))
    return Effects(given, await connection.scalar(_DECIDED, bound))
