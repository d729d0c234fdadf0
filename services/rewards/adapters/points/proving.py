"""Reads the whole ledger and finds whatever does not agree: the proof behind `regulars ledger verify`.

The guards of the database refuse nearly all of this when it is written; this also finds what was written past them.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.state.accounts import MOVES

FOUND_MAX = 100
"""Customers that are named per kind of fault."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One customer (or day, or thing of the database) for whom something does not hold, and what was found instead."""

    what: str
    who: str
    detail: str


_SIDES = """(
    SELECT customer_id, lot, credit AS account, points FROM rewards.entries
    UNION ALL SELECT customer_id, lot, debit, -points FROM rewards.entries
)"""
_BALANCES = f"""
    WITH sums AS (
        SELECT customer_id,
            coalesce(sum(points) FILTER (WHERE account = 'customer:available'), 0) AS available,
            coalesce(sum(points) FILTER (WHERE account = 'customer:pending'), 0) AS pending,
            coalesce(sum(points) FILTER (WHERE account = 'customer:reserved'), 0) AS reserved,
            coalesce(-sum(points) FILTER (WHERE account = 'customer:debt'), 0) AS debt
        FROM {_SIDES} AS sides GROUP BY customer_id
    )
    SELECT coalesce(m.customer_id, s.customer_id), format(
        'available, pending, reserved, debt are %s, %s, %s, %s; entries sum up to %s, %s, %s, %s',
        m.available, m.pending, m.reserved, m.debt, s.available, s.pending, s.reserved, s.debt)
    FROM rewards.members m FULL JOIN sums s USING (customer_id)
    WHERE (coalesce(m.available, 0), coalesce(m.pending, 0), coalesce(m.reserved, 0), coalesce(m.debt, 0))
        <> (coalesce(s.available, 0), coalesce(s.pending, 0), coalesce(s.reserved, 0), coalesce(s.debt, 0))
    """  # noqa: S608  # made of this file's own words
_NUMBERS = """
    SELECT coalesce(m.customer_id, e.customer_id),
        format('the member counts %s entries; there are %s, numbered %s to %s', m.entries, e.many, e.least, e.most)
    FROM rewards.members m FULL JOIN (
        SELECT customer_id, count(*) AS many, min(number) AS least, max(number) AS most
        FROM rewards.entries GROUP BY customer_id
    ) e USING (customer_id)
    WHERE coalesce(m.entries, 0) <> coalesce(e.many, 0) OR coalesce(e.most, 0) <> coalesce(e.many, 0)
        OR coalesce(e.least, 1) <> 1
    """
_LOTS = """
    SELECT m.customer_id, format('lots hold %s available and %s pending; the balance is %s and %s',
        coalesce(l.available, 0), coalesce(l.pending, 0), m.available, m.pending)
    FROM rewards.members m LEFT JOIN (
        SELECT customer_id, sum(remaining) FILTER (WHERE NOT pending) AS available,
            sum(remaining) FILTER (WHERE pending) AS pending
        FROM rewards.lots GROUP BY customer_id
    ) l USING (customer_id)
    WHERE (coalesce(l.available, 0), coalesce(l.pending, 0)) <> (m.available, m.pending)
    """
_EACH_LOT = f"""
    WITH sums AS (
        SELECT customer_id, lot, sum(points) AS points FROM {_SIDES} AS sides
        WHERE account IN ('customer:available', 'customer:pending') GROUP BY customer_id, lot
    )
    SELECT coalesce(l.customer_id, s.customer_id),
        format('lot %s holds %s; its entries sum up to %s', to_hex(lot), l.remaining, s.points)
    FROM rewards.lots l FULL JOIN sums s USING (customer_id, lot)
    WHERE coalesce(l.remaining, 0) <> coalesce(s.points, 0)
    """  # noqa: S608  # made of this file's own words
_EXPIRED = """
    SELECT customer_id, format('lot %s: %s points expired by the lot, %s by its entries', to_hex(lot), said, sum)
    FROM (
        SELECT max(customer_id) FILTER (WHERE said IS NOT NULL) AS customer_id, lot,
            coalesce(max(said), 0) AS said, sum(points) AS sum
        FROM (
            SELECT customer_id, lot, expired AS said, 0 AS points FROM rewards.lots
            UNION ALL SELECT customer_id, lot, NULL, points FROM rewards.entries WHERE credit = 'program:expired'
            UNION ALL SELECT customer_id, lot, NULL, -points FROM rewards.entries WHERE debit = 'program:expired'
        ) AS all_of_them GROUP BY lot
    ) AS by_lot WHERE said <> sum
    """
_RESERVED = """
    SELECT m.customer_id,
        format('%s points are reserved; open redemptions have %s', m.reserved, coalesce(r.points, 0))
    FROM rewards.members m LEFT JOIN (
        SELECT customer_id, sum(points) AS points FROM rewards.redemptions WHERE status = 'reserved'
        GROUP BY customer_id
    ) r USING (customer_id)
    WHERE m.reserved <> coalesce(r.points, 0)
    """
_MOVES = """
    SELECT customer_id, format('entry %s, %s: %s to %s', number, kind, debit, credit) FROM rewards.entries
    WHERE (kind, debit, credit) NOT IN (
        SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:debits AS text[]), CAST(:credits AS text[]))
    )
    """
_MERGES = """
    SELECT 'all customers', format('%s points went out by merges, %s came in',
        sum(points) FILTER (WHERE credit = 'program:merged'), sum(points) FILTER (WHERE debit = 'program:merged'))
    FROM rewards.entries WHERE kind = 'merge'
    HAVING sum(CASE credit WHEN 'program:merged' THEN points ELSE -points END) <> 0
    """
_EARNED = """
    SELECT m.customer_id, format('%s were ever earned; entries say %s', m.lifetime_earned, coalesce(e.points, 0))
    FROM rewards.members m LEFT JOIN (
        SELECT customer_id, sum(CASE kind WHEN 'earn' THEN points WHEN 'reverse' THEN -points ELSE 0 END) AS points,
            bool_or(kind IN ('merge', 'restore')) AS moved
        FROM rewards.entries GROUP BY customer_id
    ) e USING (customer_id)
    WHERE NOT coalesce(e.moved, false) AND m.lifetime_earned <> coalesce(e.points, 0)
        AND NOT EXISTS (SELECT FROM rewards.members o WHERE o.merged_into = m.customer_id)
        AND m.merged_into IS NULL AND NOT EXISTS (SELECT FROM rewards.parts p WHERE p.customer_id = m.customer_id)
    """
_TIMES = """
    SELECT customer_id, format('entry %s was written before entry %s', number, number - 1) FROM (
        SELECT customer_id, number, recorded_at,
            lag(recorded_at) OVER (PARTITION BY customer_id ORDER BY number) AS before
        FROM rewards.entries
    ) AS ordered WHERE recorded_at < before - interval '1 minute'
    """
_BOOKS = """
    WITH kept AS (SELECT coalesce(nullif(max(time_zone), ''), 'UTC') AS zone, max(time_zone) <> '' AS made
        FROM rewards.booking)
    SELECT coalesce(b.day, e.day)::text, format('%s to %s: the books say %s; entries sum up to %s',
        coalesce(b.debit, e.debit), coalesce(b.credit, e.credit), coalesce(b.points, 0), coalesce(e.points, 0))
    FROM (
        SELECT day, debit, credit, sum(points) AS points FROM (
            SELECT day, debit, credit, points FROM rewards.booked
            UNION ALL SELECT (recorded_at AT TIME ZONE (SELECT zone FROM kept))::date, debit, credit, points
            FROM rewards.unbooked
        ) AS sums GROUP BY 1, 2, 3
    ) b FULL JOIN (
        SELECT (recorded_at AT TIME ZONE (SELECT zone FROM kept))::date AS day, debit, credit, sum(points) AS points
        FROM rewards.entries GROUP BY 1, 2, 3
    ) e USING (day, debit, credit)
    WHERE coalesce(b.points, 0) <> coalesce(e.points, 0) AND (SELECT made FROM kept)
    ORDER BY 1
    """
_GUARDS = """
    SELECT g.table_name || '.' || g.name, coalesce('is switched off', 'is missing')
    FROM unnest(CAST(:tables AS text[]), CAST(:names AS text[])) AS g(table_name, name)
    LEFT JOIN pg_trigger t ON t.tgrelid = ('rewards.' || g.table_name)::regclass AND t.tgname = g.name
    WHERE t.tgenabled IS DISTINCT FROM 'O'
    UNION ALL
    SELECT 'rewards.entries', format('belongs to %s', tableowner) FROM pg_tables
    WHERE schemaname = 'rewards' AND tablename = 'entries' AND tableowner <> 'regulars_ledger'
    UNION ALL
    SELECT conrelid::regclass::text || '.' || conname, 'was never validated' FROM pg_constraint
    WHERE connamespace = 'rewards'::regnamespace AND NOT convalidated
    """

GUARDS = tuple(
    (table, name)
    for table, names in {
        "entries": (
            "entries_are_append_only",
            "entries_await_booking",
            "entries_balanced",
            "entries_join_proof_insert",
        ),
        "members": (
            "members_balanced",
            "members_join_proof_insert",
            "members_join_proof_update",
            "members_stay",
        ),
        "lots": ("lots_balanced", "lots_join_proof_insert", "lots_join_proof_update", "lots_stay"),
    }.items()
    for name in names
)

PROOFS = {
    "balances are the sums of their entries": _BALANCES,
    "entries are numbered without gaps, and all counted": _NUMBERS,
    "lots hold the balance": _LOTS,
    "each lot holds what its entries sum up to": _EACH_LOT,
    "what expired of each lot is what its entries say": _EXPIRED,
    "reserved points are those of open redemptions": _RESERVED,
    "points move only as their kind allows": _MOVES,
    "merges neither make nor lose points": _MERGES,
    "points ever earned are those earned less those taken back": _EARNED,
    "entries were written in the order of their numbers": _TIMES,
    "the books by day are the sums of the entries": _BOOKS,
    "the guards of the database stand": _GUARDS,
}
"""What must hold, and the query that finds for whom it does not. Each reads a whole table: at a million entries, some
seconds."""


async def prove(connection: AsyncConnection) -> AsyncIterator[tuple[str, list[Finding]]]:
    """Each proof with what it found, nothing if all is well. Run it in one transaction with a single snapshot."""
    moves = [(kind.value, *pair) for kind, pairs in MOVES.items() for pair in pairs]
    bound = {
        "kinds": [kind for kind, _, _ in moves],
        "debits": [debit.value for _, debit, _ in moves],
        "credits": [credit.value for _, _, credit in moves],
        "tables": [table for table, _ in GUARDS],
        "names": [name for _, name in GUARDS],
    }
    for what, query in PROOFS.items():
        statement = text(f"SELECT * FROM ({query}) AS found LIMIT {FOUND_MAX}")  # noqa: S608  # ours
        own = {name: value for name, value in bound.items() if f":{name} " in query}
        rows = await connection.execute(statement, own)
        yield what, [Finding(what, who, detail) for who, detail in rows]
