"""What the checkout was refused lately, for whoever asks why."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")


def upgrade() -> None:
    """A table of some weeks."""
    op.create_table(
        "refusals",
        sa.Column("customer_id", NAME, primary_key=True),
        sa.Column("request_id", NAME, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("asked", sa.String, nullable=False),
        sa.Column("figures", sa.String, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.Column("available", sa.BigInteger, nullable=False),
        sa.Column("pending", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("tier", sa.String),
        schema=SCHEMA,
        comment="What the checkout was refused lately, for whoever asks why.",
    )
    op.create_index("refusals_at", "refusals", ["at"], schema=SCHEMA)


def downgrade() -> None:
    """What was refused is forgotten."""
    op.drop_table("refusals", schema=SCHEMA)
