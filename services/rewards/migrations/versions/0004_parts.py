"""Which part of a customer something came from, so that a merge can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TABLES = ("lots", "purchases", "rule_uses", "milestones", "offers", "redemptions")


def upgrade() -> None:
    """Add columns that are null for nearly all rows, which rewrites none."""
    for table in TABLES:
        op.add_column(table, sa.Column("part", NAME), schema=SCHEMA)
    op.add_column("members", sa.Column("merged_by", sa.String), schema=SCHEMA)
    op.create_table(
        "parts",
        sa.Column("part", NAME, primary_key=True),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        schema=SCHEMA,
        comment="Parts of customers that went to others, whose they are now, and by which change.",
    )
    op.create_index("parts_epoch", "parts", ["epoch"], schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("parts", schema=SCHEMA)
    op.drop_column("members", "merged_by", schema=SCHEMA)
    for table in TABLES:
        op.drop_column(table, "part", schema=SCHEMA)
