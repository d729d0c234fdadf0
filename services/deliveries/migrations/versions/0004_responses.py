"""What people did with messages, and what they withdrew here until scoring says so itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "deliveries"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "responses",
        sa.Column("message_id", NAME, primary_key=True),
        sa.Column("response", sa.String, primary_key=True),
        sa.Column("target", NAME, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint("response IN ('opened', 'clicked')", name="responses_response"),
        schema=SCHEMA,
        comment="Each once: that a message was opened, and which links (their hashes) were followed.",
    )
    op.create_table(
        "withdrawals",
        sa.Column("part", NAME, primary_key=True),
        sa.Column("name", NAME, primary_key=True),
        sa.Column("event", NAME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Index("withdrawals_event", "event"),
        schema=SCHEMA,
        comment="Consents withdrawn by a link in a message, until the activity of that event comes back.",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("withdrawals", "responses"):
        op.drop_table(table, schema=SCHEMA)
