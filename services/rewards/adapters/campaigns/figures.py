"""What is counted of a campaign's runs, arm by arm, in one statement."""

from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.domain.experiments.figures import Figures
from services.rewards.domain.experiments.means import NOBODY, Moments

# Each customer counts once, by the first run in the period. What they did since is looked up by index, run by run: the
# orders in the time of the goal, what became of the run's messages, and the uses of its codes that stand.
_FIGURES = text("""
    WITH runs AS MATERIALIZED (
        SELECT customer_id, run, arm, started_at, goal_until, reached_at, points, codes FROM rewards.campaign_runs
        WHERE campaign = :campaign AND started_at >= :since AND started_at < :until
    ), firsts AS MATERIALIZED (
        SELECT DISTINCT ON (customer_id) * FROM runs ORDER BY customer_id, started_at, run
    )
    SELECT f.arm, count(*) AS customers, (SELECT count(*) FROM runs r WHERE r.arm = f.arm) AS runs,
        count(*) FILTER (WHERE f.reached_at IS NULL AND f.goal_until >= :now) AS open,
        count(*) FILTER (WHERE m.sent) AS sent,
        count(*) FILTER (WHERE m.opened) AS opened,
        count(*) FILTER (WHERE m.clicked) AS clicked,
        count(*) FILTER (WHERE m.unsubscribed) AS unsubscribed,
        count(*) FILTER (WHERE f.codes IS NOT NULL) AS offered,
        count(*) FILTER (WHERE u.uses > 0) AS redeemed,
        count(*) FILTER (WHERE u.unpriced > 0) AS unpriced,
        count(f.reached_at) AS goals,
        count(*) FILTER (WHERE p.paid > 0) AS buyers,
        sum(p.paid) AS paid, sum(p.paid ^ 2) AS squares, sum(p.paid ^ 3) AS cubes,
        sum(f.points)::bigint AS points, sum(u.discounts) AS discounts
    FROM firsts f
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(net), 0) AS paid FROM rewards.purchases
        WHERE customer_id = f.customer_id AND placed_at > f.started_at AND placed_at <= f.goal_until AND counts
    ) AS p
    CROSS JOIN LATERAL (
        SELECT bool_or(coalesce(sent_at, opened_at, clicked_at) IS NOT NULL) AS sent,
            bool_or(coalesce(opened_at, clicked_at) IS NOT NULL) AS opened,
            bool_or(clicked_at IS NOT NULL) AS clicked, bool_or(unsubscribed_at IS NOT NULL) AS unsubscribed
        FROM rewards.campaign_messages WHERE run = f.run
    ) AS m
    CROSS JOIN LATERAL (
        SELECT count(*) AS uses, coalesce(sum(discount), 0) AS discounts,
            count(*) FILTER (WHERE discount IS NULL) AS unpriced
        FROM rewards.offer_uses
        WHERE customer_id = f.customer_id AND code = ANY(string_to_array(f.codes, ' ')) AND undone_at IS NULL
    ) AS u
    GROUP BY f.arm
    """)
_VERSIONS = text("""
    SELECT DISTINCT program_version FROM rewards.campaign_runs
    WHERE campaign = :campaign AND started_at >= :since AND started_at < :until ORDER BY 1
    """)
_LAST = text("SELECT max(program_version) FROM rewards.campaign_runs WHERE campaign = :campaign")


async def read_figures(
    connection: AsyncConnection, campaign: str, since: datetime, until: datetime, now: datetime
) -> dict[str, Figures]:
    """What is counted of the runs that started from `since` until before `until`, by arm."""
    bound = {"campaign": campaign, "since": since, "until": until, "now": now}
    return {row.arm: _figures(row) for row in await connection.execute(_FIGURES, bound)}


async def read_versions(
    connection: AsyncConnection, campaign: str, since: datetime, until: datetime
) -> list[int]:
    """The versions of the program under which these runs began (or acted, where they waited), oldest first."""
    bound = {"campaign": campaign, "since": since, "until": until}
    return [row[0] for row in await connection.execute(_VERSIONS, bound)]


async def last_version(connection: AsyncConnection, campaign: str) -> int | None:
    """The newest version of the program under which the campaign has run; None: it never has."""
    version: int | None = await connection.scalar(_LAST, {"campaign": campaign})
    return version


def _figures(row: Any) -> Figures:
    counted = dict(row._mapping)
    sums = (counted.pop("paid"), counted.pop("squares"), counted.pop("cubes"))
    del counted["arm"]
    return Figures(revenue=_moments(row.customers, *(Fraction(each) for each in sums)), **counted)


def _moments(count: int, total: Fraction, squares: Fraction, cubes: Fraction) -> Moments:
    """From sums of powers, which are exact, so that nothing is lost by subtracting what is nearly the same."""
    if not count:
        return NOBODY
    mean, square, cube = total / count, squares / count, cubes / count
    return Moments(count, float(mean), float(square - mean**2), float(cube - 3 * mean * square + 2 * mean**3))
