"""Spending: redemptions, adjustments, offers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")  # ids are compared as bytes
TIME = sa.DateTime(timezone=True)
TABLES = (
    "redemptions",
    "adjustments",
    "offers",
    "offer_uses",
)


def upgrade() -> None:
    op.create_table(
        "redemptions",
        sa.Column("id", NAME, nullable=False),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("order_id", sa.String),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Numeric, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("reserved_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("taken", sa.String, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("points > 0", "redemptions_points"),
        schema=SCHEMA,
    )
    op.create_index("redemptions_customer", "redemptions", ["customer_id", "reserved_at"], schema=SCHEMA)
    op.create_index(
        "redemptions_due",
        "redemptions",
        ["expires_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("status = 'reserved'"),
    )
    op.create_table(
        "adjustments",
        sa.Column("id", NAME, nullable=False),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema=SCHEMA,
    )
    op.create_table(
        "offers",
        sa.Column("code", NAME, nullable=False),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("offer", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("revoked_at", TIME),
        sa.Column("percent", sa.Numeric),
        sa.Column("amount", sa.Numeric),
        sa.Column("free_shipping", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("gift", sa.String),
        sa.Column("currency", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("code"),
        sa.CheckConstraint("used >= 0 AND used <= uses", "offers_used"),
        schema=SCHEMA,
    )
    op.create_index("offers_customer", "offers", ["customer_id", "issued_at", "code"], schema=SCHEMA)
    op.create_table(
        "offer_uses",
        sa.Column("code", NAME, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("order_id", sa.String),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("code", "number"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)
