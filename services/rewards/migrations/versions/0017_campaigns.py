"""Runs of campaigns: when each began for whom, what is still to do of it, and whether its goal was reached."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """One table; and on members, until when a goal may be reached, so that who has none costs nothing."""
    op.create_table(
        "campaign_runs",
        sa.Column("customer_id", NAME, primary_key=True),
        sa.Column("campaign", NAME, primary_key=True),
        sa.Column("run", NAME, primary_key=True),
        sa.Column("on", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("root", sa.String, nullable=False),
        sa.Column("arm", sa.String, nullable=False),
        sa.Column("part", NAME),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.Column("goal_until", TIME),
        sa.Column("reached_at", TIME),
        sa.Column("revenue", sa.Numeric),
        sa.Column("silent", sa.Boolean, nullable=False),
        sa.Column("wrote", sa.Boolean, nullable=False),
        sa.Column("event", sa.String),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'superseded', 'held_out', 'stopped', 'dropped')",
            "campaign_runs_state",
        ),
        sa.CheckConstraint("due_at >= started_at", "campaign_runs_due"),
        schema=SCHEMA,
        comment="Each time that a campaign began for a customer, in which arm, and how far it has come.",
    )
    op.create_index(
        "campaign_runs_due_at",
        "campaign_runs",
        ["due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("campaign_runs_started_at", "campaign_runs", ["campaign", "started_at"], schema=SCHEMA)
    op.add_column("members", sa.Column("goals_until", TIME), schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.drop_column("members", "goals_until", schema=SCHEMA)
    op.drop_table("campaign_runs", schema=SCHEMA)
