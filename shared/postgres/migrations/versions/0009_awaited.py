"""Writers to the log notify only where a reader has asked to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "platform"


def upgrade() -> None:
    """All partitions count as awaited until they are written to: whoever rests is told."""
    column = sa.Column("awaited", sa.Boolean, nullable=False, server_default=sa.true())
    op.add_column("log_heads", column, schema=SCHEMA)


def downgrade() -> None:
    """Writers notify always."""
    op.drop_column("log_heads", "awaited", schema=SCHEMA)
