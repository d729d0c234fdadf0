"""What reports of campaigns count: messages that runs asked for and what became of them, points and codes they gave."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """A table of messages, and two columns on runs."""
    op.create_table(
        "campaign_messages",
        sa.Column("message", NAME, primary_key=True),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("run", NAME, nullable=False),
        sa.Column("campaign", NAME, nullable=False),
        sa.Column("part", NAME),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("opened_at", TIME),
        sa.Column("clicked_at", TIME),
        sa.Column("unsubscribed_at", TIME),
        schema=SCHEMA,
        comment="Messages that runs of campaigns asked for, and when first what became of them.",
    )
    op.create_index("campaign_messages_run", "campaign_messages", ["run"], schema=SCHEMA)
    op.create_index("campaign_messages_customer", "campaign_messages", ["customer_id"], schema=SCHEMA)
    op.add_column(
        "campaign_runs",
        sa.Column("points", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        schema=SCHEMA,
    )
    op.add_column("campaign_runs", sa.Column("codes", sa.String), schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.drop_column("campaign_runs", "codes", schema=SCHEMA)
    op.drop_column("campaign_runs", "points", schema=SCHEMA)
    op.drop_table("campaign_messages", schema=SCHEMA)
