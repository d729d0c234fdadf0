"""Sums over all members: what an operator, or the demo, wants to see at one glance."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BY_TIER = text("""
    SELECT tier, count(*), sum(lifetime_earned)::bigint, sum(available)::bigint
    FROM rewards.members
    WHERE merged_into IS NULL
    GROUP BY tier ORDER BY tier NULLS FIRST
    """)

_OFFERS = text("""
    SELECT count(*), count(milestone)
    FROM rewards.offers
    LEFT JOIN (SELECT DISTINCT customer_id, milestone FROM rewards.milestones) AS reached
        ON reached.customer_id = offers.customer_id AND reached.milestone = offers.rule
    """)

_RUNS = text("""
    SELECT campaign, count(*), count(*) FILTER (WHERE wrote) FROM rewards.campaign_runs
    GROUP BY campaign ORDER BY count(*) DESC, campaign
    """)


@dataclass(frozen=True, slots=True)
class TierTotals:
    """Members who are in `tier` (None: never raised above the lowest), and their points."""

    tier: str | None
    members: int
    points_issued: int
    points_available: int


async def by_tier(connection: AsyncConnection) -> list[TierTotals]:
    """One row for each tier that has members."""
    return [TierTotals(*row) for row in await connection.execute(_BY_TIER)]


async def offers_issued(connection: AsyncConnection) -> tuple[int, int]:
    """How many offers were issued: all of them, and those for a milestone."""
    row = (await connection.execute(_OFFERS)).one()
    return int(row[0]), int(row[1])


async def runs_begun(connection: AsyncConnection) -> list[tuple[str, int, int]]:
    """Of each campaign that ever began, most runs first: how many there are, and how many asked for a message."""
    return [(campaign, runs, wrote) for campaign, runs, wrote in await connection.execute(_RUNS)]
