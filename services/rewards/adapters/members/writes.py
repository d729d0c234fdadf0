"""Rows of members, as they are written: each once, whatever of it has changed; and how they stood, for ever."""

from operator import attrgetter

from sqlalchemy import text

from services.rewards.adapters.sets import Writes
from services.rewards.domain.changes import Changes

# What did not change costs nothing: PostgreSQL compares before it touches an index. A merge may have moved until when
# goals can be reached: that is never brought back.
_UPDATE = text("""
    UPDATE rewards.members m SET entries = w.entries, available = w.available, pending = w.pending,
        reserved = w.reserved, debt = w.debt, lifetime_earned = w.lifetime_earned, tier = w.tier,
        tier_since = w.tier_since, tier_until = w.tier_until, tier_status = w.tier_status, tier_due = w.tier_due,
        tier_noticed = w.tier_noticed, tier_changes = w.tier_changes, joined_at = w.joined_at, spend = w.spend,
        spend_since = w.spend_since, merged_into = w.merged_into, merged_by = w.merged_by,
        renewed_since = w.renewed_since, renewed_until = w.renewed_until,
        goals_until = greatest(m.goals_until, w.goals_until), tier_promise = w.tier_promise
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS bigint[]), CAST(:c2 AS bigint[]), CAST(:c3 AS bigint[]),
        CAST(:c4 AS bigint[]), CAST(:c5 AS bigint[]), CAST(:c6 AS bigint[]), CAST(:c7 AS text[]),
        CAST(:c8 AS timestamptz[]), CAST(:c9 AS timestamptz[]), CAST(:c10 AS text[]), CAST(:c11 AS timestamptz[]),
        CAST(:c12 AS timestamptz[]), CAST(:c13 AS int[]), CAST(:c14 AS timestamptz[]), CAST(:c15 AS numeric[]),
        CAST(:c16 AS timestamptz[]), CAST(:c17 AS text[]), CAST(:c18 AS text[]), CAST(:c19 AS timestamptz[]),
        CAST(:c20 AS timestamptz[]), CAST(:c21 AS timestamptz[]), CAST(:c22 AS text[]))
        AS w(customer_id, entries, available, pending, reserved, debt, lifetime_earned, tier, tier_since, tier_until,
            tier_status, tier_due, tier_noticed, tier_changes, joined_at, spend, spend_since, merged_into, merged_by,
            renewed_since, renewed_until, goals_until, tier_promise)
    WHERE m.customer_id = w.customer_id
    """)
# Of those whose standing has changed: it compares with the row of the member, and so goes before that is written. Where
# that row is not what was kept last, a process of an earlier release has written it: from now on it is known again.
_KEEP_STANDINGS = text("""
    INSERT INTO rewards.standings (customer_id, at, tier, tier_since, tier_until, tier_status, joined_at, first)
    SELECT w.*, (m.tier, m.tier_since, m.tier_until, m.tier_status, m.joined_at)
        IS DISTINCT FROM (s.tier, s.tier_since, s.tier_until, coalesce(s.tier_status, ''), s.joined_at)
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS timestamptz[]), CAST(:c2 AS text[]),
        CAST(:c3 AS timestamptz[]), CAST(:c4 AS timestamptz[]), CAST(:c5 AS text[]), CAST(:c6 AS timestamptz[]))
        AS w(customer_id, at, tier, tier_since, tier_until, tier_status, joined_at)
    JOIN rewards.members m USING (customer_id)
    LEFT JOIN LATERAL (
        SELECT * FROM rewards.standings WHERE customer_id = m.customer_id ORDER BY number DESC LIMIT 1
    ) s ON true
    WHERE (m.tier, m.tier_since, m.tier_until, m.tier_status, m.joined_at)
        IS DISTINCT FROM (w.tier, w.tier_since, w.tier_until, w.tier_status, w.joined_at)
    ON CONFLICT (customer_id, at) DO UPDATE SET tier = excluded.tier, tier_since = excluded.tier_since,
        tier_until = excluded.tier_until, tier_status = excluded.tier_status, joined_at = excluded.joined_at,
        first = standings.first OR excluded.first
    """)
_row = attrgetter(
    "customer_id",
    "entries",
    "available",
    "pending",
    "reserved",
    "debt",
    "lifetime_earned",
    "tier",
    "tier_since",
    "tier_until",
    "tier_status",
    "tier_due",
    "tier_noticed",
    "tier_changes",
    "joined_at",
    "spend",
    "spend_since",
    "merged_into",
    "merged_by",
    "renewed_since",
    "renewed_until",
    "goals_until",
    "tier_promise",
)


def write_members(writes: Writes, changes: Changes) -> None:
    """The members whose balances, tier or goals have changed."""
    writes.update(
        _KEEP_STANDINGS,
        [
            (m.customer_id, changes.now, m.tier, m.tier_since, m.tier_until, m.tier_status, m.joined_at)
            for m in changes.standings.values()
        ],
    )
    aiming = {member.customer_id: member for member, run in changes.runs.values() if not run.stored}
    writes.update(
        _UPDATE, [_row(member) for member in (aiming | changes.standings | changes.members).values()]
    )
