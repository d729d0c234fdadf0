"""What holds for the ledger of every customer, as queries that find those for whom it does not."""

_BALANCES = """
    WITH moved AS (
        SELECT customer_id, credit AS account, points FROM rewards.entries
        UNION ALL SELECT customer_id, debit, -points FROM rewards.entries
    ), balances AS (
        SELECT customer_id,
            coalesce(sum(points) FILTER (WHERE account = 'customer:available'), 0) AS available,
            coalesce(sum(points) FILTER (WHERE account = 'customer:pending'), 0) AS pending,
            coalesce(sum(points) FILTER (WHERE account = 'customer:reserved'), 0) AS reserved,
            coalesce(-sum(points) FILTER (WHERE account = 'customer:debt'), 0) AS debt
        FROM moved GROUP BY customer_id
    )
    SELECT m.customer_id FROM rewards.members m LEFT JOIN balances b USING (customer_id)
    WHERE (m.available, m.pending, m.reserved, m.debt)
        IS DISTINCT FROM (coalesce(b.available, 0), coalesce(b.pending, 0),
                          coalesce(b.reserved, 0), coalesce(b.debt, 0))
    """
_LOTS = """
    SELECT m.customer_id FROM rewards.members m
    LEFT JOIN rewards.lots l USING (customer_id) GROUP BY m.customer_id
    HAVING coalesce(sum(l.remaining) FILTER (WHERE NOT l.pending), 0) <> m.available
        OR coalesce(sum(l.remaining) FILTER (WHERE l.pending), 0) <> m.pending
    """
_GAPS = """
    SELECT m.customer_id FROM rewards.members m LEFT JOIN rewards.entries e USING (customer_id)
    GROUP BY m.customer_id HAVING count(e.number) <> m.entries OR coalesce(max(e.number), 0) <> m.entries
    """

_STOCKS = """
    SELECT s.item FROM rewards.stock s WHERE s.taken <> CASE split_part(s.item, ':', 1)
        WHEN 'reward' THEN (SELECT count(*) FROM rewards.redemptions r
            WHERE 'reward:' || r.reward = s.item AND r.status IN ('reserved', 'confirmed'))
        ELSE (SELECT count(*) FROM rewards.offer_uses u
            WHERE 'offer:' || u.offer = s.item AND u.undone_at IS NULL) END
    """
_CODES = """
    SELECT o.code FROM rewards.offers o LEFT JOIN rewards.offer_uses u ON u.code = o.code AND u.undone_at IS NULL
    GROUP BY o.code, o.used, o.customer_id
    HAVING count(u.id) <> o.used OR bool_or(u.customer_id <> o.customer_id)
    """
_RESERVED = """
    SELECT m.customer_id FROM rewards.members m
    LEFT JOIN rewards.redemptions r ON r.customer_id = m.customer_id AND r.status = 'reserved'
    GROUP BY m.customer_id HAVING coalesce(sum(r.points), 0) <> m.reserved
    """
_BOOKS = """
    WITH kept AS (SELECT time_zone AS zone FROM rewards.booking WHERE time_zone <> '')
    SELECT day FROM (
        SELECT day, debit, credit, points FROM rewards.booked
        UNION ALL SELECT (recorded_at AT TIME ZONE zone)::date, debit, credit, points FROM rewards.unbooked, kept
        UNION ALL SELECT (recorded_at AT TIME ZONE zone)::date, debit, credit, -points FROM rewards.entries, kept
    ) AS sums GROUP BY day, debit, credit HAVING sum(points) <> 0
    """

BROKEN = {
    "balances that are not the sums of their entries": _BALANCES,
    "lots that do not hold the balance": _LOTS,
    "entries that are missing": _GAPS,
    "stocks that do not count what stands": _STOCKS,
    "codes that do not count their uses, or whose uses are another customer's": _CODES,
    "reserved points that no reservation holds": _RESERVED,
    "books that are not the sums of the entries": _BOOKS,
}
"""Each must find nobody."""
