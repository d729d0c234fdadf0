"""Runs of campaigns in PostgreSQL: loaded for a batch in one query, and found when they are due."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.campaigns.run_rows import COLUMNS
from services.rewards.adapters.due import lock_free
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.runs import Run, State
from shared.contracts.activity import Activity, Facts
from shared.contracts.codec import decode

_RUN = ", ".join(f'r."{column}"' for column in COLUMNS)

_LOAD = text(f"""
    SELECT r.customer_id, {_RUN} FROM rewards.campaign_runs r
    WHERE r.customer_id = ANY(CAST(:customers AS text[]))
        AND (r.campaign = ANY(CAST(:campaigns AS text[])) OR (r.reached_at IS NULL AND r.goal_until >= :since))
    """)  # noqa: S608
_FIND_DUE = text("""
    SELECT customer_id FROM rewards.campaign_runs WHERE state = 'waiting' AND due_at <= :now
        AND NOT customer_id = ANY(CAST(:skip AS text[]))
    ORDER BY due_at LIMIT :limit
    """)
_DUE = text(f"""
    SELECT r.customer_id, {_RUN} FROM rewards.campaign_runs r
    WHERE r.customer_id = ANY(CAST(:customers AS text[])) AND r.state = 'waiting' AND r.due_at <= :now
    """)  # noqa: S608
_FACTS = text("""
    SELECT w.customer_id, a.record FROM unnest(CAST(:customers AS text[])) AS w(customer_id)
    CROSS JOIN LATERAL (SELECT record FROM rewards.activities a WHERE a.customer_id = w.customer_id
        ORDER BY a.number DESC LIMIT 1) AS a
    """)

_COUNTS = text("""
    SELECT state, count(*), count(reached_at) FROM rewards.campaign_runs
    WHERE campaign = :campaign AND started_at >= :since GROUP BY state ORDER BY state
    """)
_OF_CUSTOMER = text("""
    SELECT run, campaign, "on", root AS cause, arm, state, wrote, started_at, due_at, goal_until, reached_at, revenue,
        program_version
    FROM rewards.campaign_runs WHERE customer_id = :customer AND (started_at, run) < (:at, :run)
    ORDER BY started_at DESC, run DESC LIMIT :limit
    """)
# A customer's runs are found by the primary key. Of those of before only what `at_most` counts decides, the last first.
# What time did is in no inbox: it began before, if its moment was before that of the activity.
_BESIDE = text(f"""
    SELECT r.root = :root, {_RUN} FROM (
        SELECT c.*, row_number() OVER (PARTITION BY c.root = :root, c.campaign ORDER BY c.started_at DESC, c.run) AS nth
        FROM rewards.campaign_runs c LEFT JOIN rewards.inbox i ON i.id = c.root
        WHERE c.customer_id = ANY(CAST(:customers AS text[]))
            AND (c.root = :root OR (c.campaign = ANY(CAST(:limited AS text[])) AND (
                i.number < CAST(:number AS bigint) OR (i.id IS NULL
                    AND c.started_at <= (SELECT o.taken_at FROM rewards.inbox o WHERE o.id = :root)))))
    ) r LEFT JOIN unnest(CAST(:limited AS text[]), CAST(:times AS integer[])) AS l(campaign, times)
        ON l.campaign = r.campaign
    WHERE r.root = :root OR r.nth <= greatest(l.times, :shown)
    ORDER BY r.started_at, r.run
    """)  # noqa: S608
SHOWN_MAX = 100
"""Of a campaign that was begun before, so many times are told, or as many as decide."""
# What happened after a moment was not taken before it.
_SINCE = text("""
    SELECT record FROM rewards.activities
    WHERE customer_id = ANY(CAST(:customers AS text[])) AND taken_at >= :moment ORDER BY number DESC LIMIT :limit
    """)
SINCE_MAX = 1_000
"""Activities of one customer that are looked through for a goal."""
CLOCKS_DIFFER = timedelta(hours=1)
"""Events may be a little ahead of our clock."""
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


async def counts(connection: AsyncConnection, campaign: str, since: datetime) -> list[tuple[str, int, int]]:
    """Of a campaign's runs that began since then: how many are in each state, and have reached the goal."""
    rows = await connection.execute(_COUNTS, {"campaign": campaign, "since": since})
    return [(state, runs, reached) for state, runs, reached in rows]


async def of_customer(
    connection: AsyncConnection, customer_id: str, before: tuple[datetime, str] | None, limit: int
) -> list[Any]:
    """The runs of a customer, newest first."""
    at, run = before or (END_OF_TIME, "")
    bound = {"customer": customer_id, "at": at, "run": run, "limit": limit}
    return list(await connection.execute(_OF_CUSTOMER, bound))


async def beside_event(
    connection: AsyncConnection,
    customers: Collection[str],
    root: str,
    number: int,
    limited: Mapping[str, int],
) -> tuple[list[Run], list[Run]]:
    """The runs of these customers that began because of an activity, and those of campaigns that may begin only so
    often (`limited`) which had begun before it was decided about, as the activity of that number; of each the last."""
    bound = {
        "customers": list(customers),
        "root": root,
        "number": number,
        "limited": list(limited),
        "times": list(limited.values()),
        "shown": SHOWN_MAX,
    }
    began: list[Run] = []
    before: list[Run] = []
    for is_own, *row in await connection.execute(_BESIDE, bound):
        (began if is_own else before).append(_run(row))
    return began, before


class PostgresRuns:
    """Implements `Runs`."""

    async def load(
        self,
        connection: AsyncConnection,
        members: dict[str, Member],
        campaigns: Collection[str],
        since: datetime,
    ) -> None:
        """See `Runs.load`."""
        bound = {"customers": list(members), "campaigns": list(campaigns), "since": since}
        for customer_id, *row in await connection.execute(_LOAD, bound):
            _add(members[customer_id], row)

    async def due(
        self, connection: AsyncConnection, now: datetime, limit: int, skip: Collection[str]
    ) -> dict[str, Member]:
        """See `Runs.due`."""
        found = await connection.execute(_FIND_DUE, {"now": now, "limit": limit, "skip": [*skip]})
        members = await lock_free(connection, {row[0] for row in found})
        if members:
            # What was found may have been done by somebody else before the members were locked.
            bound = {"customers": list(members), "now": now}
            for customer_id, *row in await connection.execute(_DUE, bound):
                _add(members[customer_id], row)
        return members

    async def since(
        self, connection: AsyncConnection, customers: Collection[str], moment: datetime
    ) -> list[Activity]:
        """See `Runs.since`."""
        bound = {"customers": list(customers), "moment": moment - CLOCKS_DIFFER, "limit": SINCE_MAX}
        return [decode(row[0], Activity) for row in await connection.execute(_SINCE, bound)]

    async def facts(self, connection: AsyncConnection, customers: Collection[str]) -> dict[str, Facts]:
        """See `Runs.facts`."""
        rows = await connection.execute(_FACTS, {"customers": list(customers)})
        return {customer_id: decode(record, Activity).facts for customer_id, record in rows}


def _add(member: Member, row: list[Any]) -> None:
    """A run as it is stored, unless it is at hand as it has become since."""
    run = _run(row)
    member.runs.setdefault(run.run, run)


def _run(row: list[Any]) -> Run:
    run = Run(**dict(zip(COLUMNS, row, strict=True)), stored=True, changed=False)
    run.state = State(run.state)
    return run
