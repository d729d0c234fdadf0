"""How far rebuilds have come."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "rebuilds",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column(
            "program", sa.String, nullable=False, comment="A digest of the program that it folds with."
        ),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "cursor",
            sa.String(collation="C"),
            nullable=False,
            comment="All customers up to this id are done.",
        ),
        sa.Column("customers", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            comment="Done, or given up for one with another program.",
        ),
        schema="scoring",
    )
    op.create_index(
        "rebuilds_under_way",
        "rebuilds",
        [sa.text("(finished_at IS NULL)")],
        unique=True,
        schema="scoring",
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("rebuilds", schema="scoring")
