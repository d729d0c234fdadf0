"""The table of campaign runs. `customer_id` stands first in its key: what decisions load is one customer's."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    text,
)

NAME = String(collation="C")  # ids are compared as bytes
TIME = DateTime(timezone=True)


def campaign_tables(metadata: MetaData) -> None:
    """Add it to the service's metadata."""
    Table(
        "campaign_runs",
        metadata,
        Column("customer_id", NAME, primary_key=True),
        Column("campaign", NAME, primary_key=True),
        Column("run", NAME, primary_key=True),
        Column("on", String, nullable=False),
        Column("cause", String, nullable=False),
        Column("root", String, nullable=False),
        Column("arm", String, nullable=False),
        Column("part", NAME),
        Column("started_at", TIME, nullable=False),
        Column("due_at", TIME, nullable=False),
        Column("state", String, nullable=False),
        Column("program_version", Integer, nullable=False),
        Column("goal_until", TIME),
        Column("reached_at", TIME),
        Column("revenue", Numeric),
        Column("silent", Boolean, nullable=False),
        Column("wrote", Boolean, nullable=False),
        Column("event", String),
        CheckConstraint(
            "state IN ('waiting', 'done', 'superseded', 'held_out', 'stopped', 'dropped')",
            "campaign_runs_state",
        ),
        CheckConstraint("due_at >= started_at", "campaign_runs_due"),
        Index("campaign_runs_due_at", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("campaign_runs_started_at", "campaign", "started_at"),
        comment="Each time that a campaign began for a customer, in which arm, and how far it has come.",
    )
