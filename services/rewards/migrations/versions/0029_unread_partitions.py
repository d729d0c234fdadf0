"""Since when nobody has read a partition is known after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Partitions, where they stood, and since when."""
    op.create_table(
        "unread",
        sa.Column("topic", sa.String(collation="C"), primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        schema="rewards",
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("unread", schema="rewards")
