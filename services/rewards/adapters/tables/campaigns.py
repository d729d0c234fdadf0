"""The tables of campaigns: runs, found by their customer, and messages that they asked for, found by their ids."""

from sqlalchemy import (
    BigInteger,
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
    """Add them to the service's metadata."""
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
        Column("points", BigInteger, nullable=False, server_default=text("0")),
        Column("codes", String),
        CheckConstraint(
            "state IN ('waiting', 'done', 'superseded', 'held_out', 'stopped', 'dropped', 'unmet')",
            "campaign_runs_state",
        ),
        CheckConstraint("due_at >= started_at", "campaign_runs_due"),
        Index("campaign_runs_due_at", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("campaign_runs_started_at", "campaign", "started_at"),
        comment="Each time that a campaign began for a customer, in which arm, and how far it has come.",
    )
    Table(
        "campaign_messages",
        metadata,
        Column("message", NAME, primary_key=True),
        Column("customer_id", NAME, nullable=False),
        Column("run", NAME, nullable=False),
        Column("campaign", NAME, nullable=False),
        Column("part", NAME),
        Column("asked_at", TIME, nullable=False),
        Column("sent_at", TIME),
        Column("opened_at", TIME),
        Column("clicked_at", TIME),
        Column("unsubscribed_at", TIME),
        Index("campaign_messages_run", "run"),
        Index("campaign_messages_customer", "customer_id"),
        comment="Messages that runs of campaigns asked for, and when first what became of them.",
    )
