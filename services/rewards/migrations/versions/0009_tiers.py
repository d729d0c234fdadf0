"""Tiers that time has more to do about: grace, notice, grants by hand, benefits each period."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """What was known of the window in which a tier was reached is counted anew when it matters."""
    op.drop_index("members_tier_until", "members", schema=SCHEMA)
    op.drop_column("members", "tier_spend", schema=SCHEMA)
    for column in (
        sa.Column("tier_status", sa.String, nullable=False, server_default=""),
        sa.Column("tier_due", TIME),
        sa.Column("tier_noticed", TIME),
        sa.Column("joined_at", TIME),
    ):
        op.add_column("members", column, schema=SCHEMA)
    op.create_check_constraint(
        "members_tier_status", "members", "tier_status IN ('', 'grace', 'granted')", schema=SCHEMA
    )
    op.execute(f"UPDATE {SCHEMA}.members SET tier_due = tier_until WHERE tier_until IS NOT NULL")  # noqa: S608
    op.create_index(
        "members_tier_due",
        "members",
        ["tier_due"],
        schema=SCHEMA,
        postgresql_where=sa.text("tier_due IS NOT NULL"),
    )
    op.create_table(
        "tier_grants",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("tier", NAME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.Column("revoked_by", sa.String),
        sa.Column("part", NAME),
        sa.CheckConstraint("at < until", "tier_grants_until"),
        schema=SCHEMA,
    )
    op.create_index("tier_grants_customer", "tier_grants", ["customer_id"], schema=SCHEMA)
    op.create_table(
        "tier_benefits",
        sa.Column("customer_id", NAME, primary_key=True),
        sa.Column("tier", NAME, primary_key=True),
        sa.Column("offer", NAME, primary_key=True),
        sa.Column("anchor", TIME, nullable=False),
        sa.Column("issued", sa.Integer, nullable=False),
        sa.Column("part", NAME),
        schema=SCHEMA,
        comment="Offers that tiers bring each period: from when periods count, and the last one that had its offer.",
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("tier_benefits", schema=SCHEMA)
    op.drop_table("tier_grants", schema=SCHEMA)
    op.drop_index("members_tier_due", "members", schema=SCHEMA)
    for column in ("joined_at", "tier_noticed", "tier_due", "tier_status"):
        op.drop_column("members", column, schema=SCHEMA)
    op.add_column(
        "members", sa.Column("tier_spend", sa.Numeric, nullable=False, server_default="0"), schema=SCHEMA
    )
    op.create_index(
        "members_tier_until",
        "members",
        ["tier_until"],
        schema=SCHEMA,
        postgresql_where=sa.text("tier_until IS NOT NULL"),
    )
