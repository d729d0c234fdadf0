"""Rewards for points, uses of codes that can be undone, stocks, and attempts with unknown codes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Uses of codes get ids of their own: a code for everybody has no count that could number them."""
    op.add_column("redemptions", sa.Column("reward", sa.String), schema=SCHEMA)
    op.add_column("redemptions", sa.Column("gives", sa.String), schema=SCHEMA)
    op.alter_column("redemptions", "value", nullable=True, schema=SCHEMA)
    for column in (
        sa.Column("id", NAME),
        sa.Column("offer", sa.String),
        sa.Column("personal", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("discount", sa.Numeric),
        sa.Column("undone_at", TIME),
        sa.Column("part", NAME),
    ):
        op.add_column("offer_uses", column, schema=SCHEMA)
    op.execute("""
        UPDATE rewards.offer_uses u SET id = 'use_' || u.code || '-' || u.number, offer = o.offer, part = o.part
        FROM rewards.offers o WHERE o.code = u.code
        """)
    op.alter_column("offer_uses", "id", nullable=False, schema=SCHEMA)
    op.alter_column("offer_uses", "offer", nullable=False, schema=SCHEMA)
    op.alter_column("offer_uses", "personal", server_default=None, schema=SCHEMA)
    op.drop_constraint("offer_uses_pkey", "offer_uses", schema=SCHEMA)
    op.drop_column("offer_uses", "number", schema=SCHEMA)
    op.create_primary_key("offer_uses_pkey", "offer_uses", ["id"], schema=SCHEMA)
    op.create_index("offer_uses_customer", "offer_uses", ["customer_id", "at"], schema=SCHEMA)
    op.create_table(
        "stock",
        sa.Column("item", NAME, primary_key=True),
        sa.Column("taken", sa.BigInteger, nullable=False),
        sa.CheckConstraint("taken >= 0", "stock_taken"),
        schema=SCHEMA,
        comment="How much is taken of each offer and reward that has, or had, a stock.",
    )
    op.create_table(
        "code_attempts",
        sa.Column("subject", NAME, primary_key=True),
        sa.Column("since", TIME, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
        comment="Unknown codes that a customer has tried lately.",
    )
    op.create_index("code_attempts_since", "code_attempts", ["since"], schema=SCHEMA)


def downgrade() -> None:
    """Only where no code for everybody was used: those uses have no number."""
    op.drop_table("code_attempts", schema=SCHEMA)
    op.drop_table("stock", schema=SCHEMA)
    op.drop_index("offer_uses_customer", "offer_uses", schema=SCHEMA)
    op.drop_constraint("offer_uses_pkey", "offer_uses", schema=SCHEMA)
    op.add_column("offer_uses", sa.Column("number", sa.Integer, autoincrement=False), schema=SCHEMA)
    op.execute("""
        UPDATE rewards.offer_uses u SET number = n.number
        FROM (SELECT id, row_number() OVER (PARTITION BY code ORDER BY at, id) AS number FROM rewards.offer_uses) n
        WHERE n.id = u.id
        """)
    op.create_primary_key("offer_uses_pkey", "offer_uses", ["code", "number"], schema=SCHEMA)
    for column in ("part", "undone_at", "discount", "personal", "offer", "id"):
        op.drop_column("offer_uses", column, schema=SCHEMA)
    op.execute("UPDATE rewards.redemptions SET value = 0 WHERE value IS NULL")
    op.alter_column("redemptions", "value", nullable=False, schema=SCHEMA)
    op.drop_column("redemptions", "gives", schema=SCHEMA)
    op.drop_column("redemptions", "reward", schema=SCHEMA)
