"""Redemptions by the quarter of an hour, and what is usual of them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Redemptions lie about in the order in which they were made: a BRIN index finds those of a time, and costs
    nothing."""
    op.create_table(
        "redemption_quarters",
        sa.Column("item", NAME, primary_key=True),
        sa.Column("quarter", TIME, primary_key=True),
        sa.Column("times", sa.BigInteger, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        schema=SCHEMA,
        comment="Points redeemed (item: points) and codes used (item: offer:…), by the quarter of an hour.",
    )
    op.create_index("redemption_quarters_quarter", "redemption_quarters", ["quarter"], schema=SCHEMA)
    op.create_table(
        "redemption_norms",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("customer_days", sa.BigInteger, nullable=False),
        sa.Column("median", sa.Float, nullable=False),
        sa.Column("spread", sa.Float, nullable=False),
        schema=SCHEMA,
        comment="What customers usually redeem a day, of ln(1 + points), as it was when the day began.",
    )
    op.create_table(
        "redemption_watch",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("next_at", TIME, comment="The next quarter to look at; null: nobody has looked yet."),
        sa.Column("told_from", TIME, comment="Of what came before nobody is told."),
        sa.CheckConstraint("id = 1", name="redemption_watch_one_row"),
        schema=SCHEMA,
    )
    op.execute("INSERT INTO rewards.redemption_watch (id) VALUES (1)")
    op.create_index(
        "redemptions_reserved_at", "redemptions", ["reserved_at"], schema=SCHEMA, postgresql_using="brin"
    )
    op.create_index("offer_uses_at", "offer_uses", ["at"], schema=SCHEMA, postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("offer_uses_at", "offer_uses", schema=SCHEMA)
    op.drop_index("redemptions_reserved_at", "redemptions", schema=SCHEMA)
    for table in ("redemption_watch", "redemption_norms", "redemption_quarters"):
        op.drop_table(table, schema=SCHEMA)
