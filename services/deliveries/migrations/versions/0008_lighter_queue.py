"""Messages that were skipped, or wait for nothing any more, are in no index that looks for others."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "deliveries"
INDEXES = (("cause", "state <> 'skipped'"), ("run", "due_at IS NOT NULL AND run <> ''"))


def upgrade() -> None:
    """Make both indexes partial."""
    for column, where in INDEXES:
        op.drop_index(f"messages_{column}", "messages", schema=SCHEMA)
        op.create_index(
            f"messages_{column}", "messages", [column], schema=SCHEMA, postgresql_where=sa.text(where)
        )


def downgrade() -> None:
    """Make them whole again."""
    for column, _ in INDEXES:
        op.drop_index(f"messages_{column}", "messages", schema=SCHEMA)
        op.create_index(f"messages_{column}", "messages", [column], schema=SCHEMA)
