"""Runs of campaigns that are kept no longer, with the messages that they asked for."""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.application.campaigns.forgetting import Place

BATCH: Final = 1_000
"""Runs that one transaction looks at."""

# By the index of a campaign's runs by time, from where the last look ended: what stays is not looked at each time.
# A customer's first run says in which arm of an experiment they are, for good.
_FORGET = text("""
    WITH looked AS MATERIALIZED (
        SELECT customer_id, campaign, run, started_at, state, goal_until FROM rewards.campaign_runs
        WHERE campaign = :campaign AND started_at >= :at AND (started_at, run) > (:at, :run) AND started_at < :before
        ORDER BY started_at, run LIMIT :limit
    ), old AS (
        SELECT r.customer_id, r.campaign, r.run FROM looked l
        JOIN rewards.campaign_runs r USING (customer_id, campaign, run)
        WHERE r.state <> 'waiting' AND r.due_at < :before AND (r.goal_until IS NULL OR r.goal_until < :before)
            AND (NOT :experiment OR EXISTS (SELECT FROM rewards.campaign_runs e
                WHERE e.customer_id = r.customer_id AND e.campaign = r.campaign
                    AND (e.started_at, e.run) < (r.started_at, r.run)))
        FOR UPDATE OF r SKIP LOCKED
    ), gone AS (
        DELETE FROM rewards.campaign_runs r USING old
        WHERE (r.customer_id, r.campaign, r.run) = (old.customer_id, old.campaign, old.run)
        RETURNING r.run
    ), letters AS (
        DELETE FROM rewards.campaign_messages m USING gone WHERE m.run = gone.run
    )
    SELECT (SELECT count(*) FROM gone) AS gone, l.started_at, l.run FROM looked l
    ORDER BY l.started_at DESC, l.run DESC LIMIT 1
    """)


async def forget_runs(
    connection: AsyncConnection,
    campaign: str,
    after: Place,
    before: datetime,
    limit: int = BATCH,
    *,
    experiment: bool = False,
) -> tuple[int, Place | None]:
    """Implements `application.forgetting.Forget`."""
    bound = {
        "campaign": campaign,
        "at": after.at,
        "run": after.run,
        "before": before,
        "limit": limit,
        "experiment": experiment,
    }
    row = (await connection.execute(_FORGET, bound)).first()
    return (0, None) if row is None else (row.gone, Place(row.started_at, row.run))
