"""What a batch of the checkout needs, in two round trips: who it is about, locked, and what is seen under the locks."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.member_rows import COLUMNS, lock_merged
from services.rewards.adapters.points.lots import LOT, WANTED_LOTS, add_lot, wanted_lots
from services.rewards.application.spending.checkout import Answered, Seen
from services.rewards.domain.state.member import Member

# Each row is looked for by its key, for which OFFSET 0 stands: these statements are planned once, and a plain join made
# while one of the tables held few rows reads all of it for every batch, however many it holds by then.
# Locked in one order, by whatever they are known. The ids are an array by the time that rows are locked: a join would
# be looked at anew for each row that another transaction has just changed, and might not find it again.
LOCK = text(f"""
    WITH named AS MATERIALIZED (
        SELECT n.name, coalesce(m.customer_id, a.customer_id) AS customer_id
        FROM unnest(CAST(:names AS text[]), CAST(:pseudonyms AS text[])) AS n(name, pseudonym)
        LEFT JOIN LATERAL (SELECT m.customer_id FROM rewards.members m WHERE m.customer_id = n.name OFFSET 0) m ON true
        LEFT JOIN LATERAL (
            SELECT a.customer_id FROM rewards.aliases a WHERE a.pseudonym = n.pseudonym OFFSET 0
        ) a ON true
        UNION ALL
        SELECT NULL, r.customer_id FROM rewards.redemptions r WHERE r.id = ANY(CAST(:redemptions AS text[]))
    ), locked AS MATERIALIZED (
        SELECT {COLUMNS} FROM rewards.members WHERE customer_id = ANY(ARRAY(SELECT customer_id FROM named))
        ORDER BY customer_id FOR UPDATE
    )
    SELECT name, {COLUMNS} FROM named JOIN locked USING (customer_id)
    """)  # noqa: S608

UNDONE = "p.cancelled OR (p.total > 0 AND p.net = 0)"
"""The purchase `p` was cancelled, or refunded in full."""

_NO_LOT = ", ".join(["NULL"] * 9)
# Rows of three kinds, told apart by the first column.
SEE = text(f"""
    SELECT 'lot', CAST(NULL AS text), CAST(NULL AS bytea), CAST(NULL AS bytea), {LOT} FROM ({WANTED_LOTS}) AS wanted
    UNION ALL
    SELECT 'undone', p.order_id, NULL, NULL, p.customer_id, NULL, {_NO_LOT}
    FROM unnest(CAST(:buyers AS text[]), CAST(:orders AS text[])) AS w(customer_id, order_id)
    CROSS JOIN LATERAL (
        SELECT * FROM rewards.purchases p
        WHERE p.customer_id = w.customer_id AND p.order_id = w.order_id AND ({UNDONE}) OFFSET 0
    ) p
    UNION ALL
    SELECT 'answer', i.key, i.body_hash, i.body, i.scope, NULL, {_NO_LOT}
    FROM unnest(CAST(:scopes AS text[]), CAST(:keys AS text[])) AS w(scope, key)
    CROSS JOIN LATERAL (
        SELECT * FROM rewards.idempotency_keys i WHERE i.scope = w.scope AND i.key = w.key OFFSET 0
    ) i
    """)  # noqa: S608


async def lock_members(
    connection: AsyncConnection, pseudonyms: dict[str, str], redemptions: Collection[str]
) -> tuple[dict[str, Member], dict[str, Member]]:
    """The members by the names that lead to them (with what stands for each), and by their ids also those whose
    redemptions these are. Locked; unknown ones are missing; of those that were merged, the ones into whom."""
    keys = {
        "names": [*pseudonyms],
        "pseudonyms": [*pseudonyms.values()],
        "redemptions": [*redemptions],
    }
    found: dict[str, Member] = {}
    ids: dict[str, str] = {}
    for name, *row in await connection.execute(LOCK, keys):
        if row[0] not in found:
            found[row[0]] = Member(*row)
        if name is not None:
            ids[name] = row[0]
    await lock_merged(connection, found)
    stays = {id_: found[member.merged_into or id_] for id_, member in found.items()}
    members = {member.customer_id: member for member in stays.values()}
    return {name: stays[id_] for name, id_ in ids.items()}, members


async def see(  # noqa: PLR0917
    connection: AsyncConnection,
    members: dict[str, Member],
    draws: Mapping[str, int],
    orders: Collection[tuple[str, str]],
    keys: Collection[tuple[str, str]],
    now: datetime,
) -> Seen:
    """Fill in the lots of `load_lots`; which of the (customer, order id) were undone, and what was answered under
    these (scope, key)."""
    wanted = wanted_lots(members, draws, now) | {
        "buyers": [customer for customer, _ in orders],
        "orders": [order for _, order in orders],
        "scopes": [scope for scope, _ in keys],
        "keys": [key for _, key in keys],
    }
    seen = Seen({}, set())
    for kind, name, body_hash, body, *lot in await connection.execute(SEE, wanted):
        if kind == "lot":
            add_lot(members[lot[0]], lot)
        elif kind == "undone":
            seen.undone.add((lot[0], name))
        else:
            seen.answers[lot[0], name] = Answered(body_hash, body)
    return seen
