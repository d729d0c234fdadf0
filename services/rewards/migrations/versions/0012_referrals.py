"""Who brings friends under which id, and the friends who came by it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Two small tables: empty unless the program has a referral."""
    op.create_table(
        "referral_ids",
        sa.Column("referral_id", NAME, primary_key=True),
        sa.Column("customer_id", NAME),
        sa.Column("at", TIME),
        sa.Column("cause", NAME),
        sa.Column("part", NAME),
        schema=SCHEMA,
        comment="Who brings friends under which id; without a customer: friends wait for who does.",
    )
    op.create_index("referral_ids_customer", "referral_ids", ["customer_id"], schema=SCHEMA)
    op.create_table(
        "referrals",
        sa.Column("customer_id", NAME, primary_key=True),
        sa.Column("referral_id", NAME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("cause", NAME, nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("closed", sa.String),
        sa.Column("part", NAME),
        schema=SCHEMA,
        comment="Friends who came by a referral, and when it is decided.",
    )
    op.create_index(
        "referrals_due_at",
        "referrals",
        ["due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("closed IS NULL"),
    )
    op.create_index("referrals_referral_id", "referrals", ["referral_id"], schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("referrals", schema=SCHEMA)
    op.drop_table("referral_ids", schema=SCHEMA)
