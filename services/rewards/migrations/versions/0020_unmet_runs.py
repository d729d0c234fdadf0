"""Runs of campaigns end as `unmet` where what they began on holds no more when they are due."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
BEFORE = "'waiting', 'done', 'superseded', 'held_out', 'stopped', 'dropped'"


def upgrade() -> None:
    """One more state."""
    op.drop_constraint("campaign_runs_state", "campaign_runs", schema=SCHEMA, type_="check")
    states = f"state IN ({BEFORE}, 'unmet')"
    op.create_check_constraint("campaign_runs_state", "campaign_runs", states, schema=SCHEMA)


def downgrade() -> None:
    """As before: such a run was dropped."""
    op.execute("UPDATE rewards.campaign_runs SET state = 'dropped' WHERE state = 'unmet'")
    op.drop_constraint("campaign_runs_state", "campaign_runs", schema=SCHEMA, type_="check")
    op.create_check_constraint("campaign_runs_state", "campaign_runs", f"state IN ({BEFORE})", schema=SCHEMA)
