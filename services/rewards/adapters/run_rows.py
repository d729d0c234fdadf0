"""Rows of campaign runs, written with the rest of a batch."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.campaign_metrics import count_runs
from services.rewards.adapters.sets import copy, update
from services.rewards.domain.campaigns.runs import Run
from services.rewards.domain.changes import Changes
from services.rewards.domain.member import Member

COLUMNS = (
    "run",
    "campaign",
    "on",
    "cause",
    "root",
    "arm",
    "part",
    "started_at",
    "due_at",
    "state",
    "program_version",
    "goal_until",
    "reached_at",
    "revenue",
    "silent",
    "wrote",
    "event",
    "points",
    "codes",
)

_UPDATE = text("""
    UPDATE rewards.campaign_runs r SET state = w.state, reached_at = w.reached_at, revenue = w.revenue,
        wrote = w.wrote, event = w.event, program_version = w.program_version, points = w.points, codes = w.codes
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS text[]), CAST(:c2 AS text[]), CAST(:c3 AS text[]),
        CAST(:c4 AS timestamptz[]), CAST(:c5 AS numeric[]), CAST(:c6 AS boolean[]), CAST(:c7 AS text[]),
        CAST(:c8 AS int[]), CAST(:c9 AS bigint[]), CAST(:c10 AS text[]))
        AS w(customer_id, campaign, run, state, reached_at, revenue, wrote, event, program_version, points,
            codes)
    WHERE (r.customer_id, r.campaign, r.run) = (w.customer_id, w.campaign, w.run)
    """)
_UNTIL = text("""
    UPDATE rewards.members m SET goals_until = w.goals_until
    FROM unnest(CAST(:c0 AS text[]), CAST(:c1 AS timestamptz[])) AS w(customer_id, goals_until)
    WHERE m.customer_id = w.customer_id
    """)


async def save_runs(connection: AsyncConnection, changes: Changes) -> None:
    """Write runs that are new or have changed, and until when their members may reach a goal."""
    kept = [(member, run) for member, run in changes.runs.values() if run.changed]
    count_runs(run for _, run in kept)
    new = [(member.customer_id, *_row(run)) for member, run in kept if not run.stored]
    await copy(connection, "campaign_runs", ("customer_id", *COLUMNS), new)
    await update(connection, _UPDATE, [_changed(member, run) for member, run in kept if run.stored])
    until = {member.customer_id: member.goals_until for member, run in kept if not run.stored}
    await update(connection, _UNTIL, sorted((id_, at) for id_, at in until.items() if at is not None))


def _row(run: Run) -> tuple[Any, ...]:
    return tuple(getattr(run, column) for column in COLUMNS)


def _changed(member: Member, run: Run) -> tuple[Any, ...]:
    done = (run.state, run.reached_at, run.revenue, run.wrote, run.event, run.program_version)
    return (member.customer_id, run.campaign, run.run, *done, run.points, run.codes)
