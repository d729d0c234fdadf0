"""Runs of which nothing more is sent, also when their message is asked for afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "deliveries"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "withdrawn_runs",
        sa.Column("run", sa.String(collation="C"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("withdrawn_runs_at", "at"),
        schema=SCHEMA,
        comment="Runs of campaigns of which nothing more is to be sent, whenever it is asked for.",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("withdrawn_runs", schema=SCHEMA)
