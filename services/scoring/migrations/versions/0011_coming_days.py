"""Birthdays and anniversaries: when the next one comes, for whom."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Everybody who is there is looked at once; what has come before is not told."""
    op.create_table(
        "coming_days",
        sa.Column("customer_id", sa.String(collation="C"), primary_key=True),
        sa.Column("next_at", MOMENT),
        sa.Column("told_until", MOMENT, nullable=False),
        schema=SCHEMA,
        comment="When the next birthday or anniversary begins, and how far they were told.",
    )
    op.create_index(
        "coming_days_next_at",
        "coming_days",
        ["next_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.execute(
        f"INSERT INTO {SCHEMA}.coming_days (customer_id, next_at, told_until)"  # noqa: S608
        f" SELECT id, now(), now() FROM {SCHEMA}.customers"
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_table("coming_days", schema=SCHEMA)
