"""How members stood towards tiers is kept: the answer about a tier as of a moment that is past."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

SCHEMA = "rewards"


def upgrade() -> None:
    """Members who stand somewhere are known from now on; the others have never had a tier."""
    name, time = sa.String(collation="C"), sa.DateTime(timezone=True)
    op.create_table(
        "standings",
        sa.Column("customer_id", name, primary_key=True),
        sa.Column("at", time, primary_key=True),
        sa.Column("tier", sa.String),
        sa.Column("tier_since", time),
        sa.Column("tier_until", time),
        sa.Column("tier_status", sa.String, nullable=False),
        sa.Column("joined_at", time),
        sa.Column("first", sa.Boolean, nullable=False, server_default=sa.false()),
        schema=SCHEMA,
        comment="How members stood towards tiers from `at` on. `first`: of before that nothing was kept.",
    )
    op.execute("""
        INSERT INTO rewards.standings
            (customer_id, at, tier, tier_since, tier_until, tier_status, joined_at, first)
        SELECT customer_id, now(), tier, tier_since, tier_until, tier_status, joined_at, true
        FROM rewards.members WHERE tier IS NOT NULL OR joined_at IS NOT NULL
        """)


def downgrade() -> None:
    """Forget it."""
    op.drop_table("standings", schema=SCHEMA)
