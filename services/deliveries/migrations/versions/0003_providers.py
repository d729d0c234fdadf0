"""What is remembered of the providers that messages are given to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "deliveries"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "providers",
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("arrival", TIME),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("until", TIME),
        sa.Column("openings", sa.Integer, nullable=False, server_default="0"),
        sa.Column("probed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("code", sa.String, nullable=False, server_default=""),
        schema=SCHEMA,
        comment="The pace and the circuit breaker of each channel's provider, shared by all workers.",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("providers", schema=SCHEMA)
