"""Rows of campaign runs, written with the rest of a batch."""

from operator import attrgetter
from typing import Any

from sqlalchemy import text

from services.rewards.adapters.campaigns.metrics import count_braked, count_runs
from services.rewards.adapters.sets import Writes
from services.rewards.domain.changes import Changes
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.runs import Run

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
_row = attrgetter(*COLUMNS)


def write_runs(writes: Writes, changes: Changes) -> None:
    """Runs that are new or have changed; who was kept from going in circles is told."""
    count_braked(changes.braked)
    kept = [(member, run) for member, run in changes.runs.values() if run.changed]
    count_runs(run for _, run in kept)
    new = [(member.customer_id, *_row(run)) for member, run in kept if not run.stored]
    writes.insert("campaign_runs", ("customer_id", *COLUMNS), new)
    writes.update(_UPDATE, [_changed(member, run) for member, run in kept if run.stored])


def _changed(member: Member, run: Run) -> tuple[Any, ...]:
    done = (run.state, run.reached_at, run.revenue, run.wrote, run.event, run.program_version)
    return (member.customer_id, run.campaign, run.run, *done, run.points, run.codes)
