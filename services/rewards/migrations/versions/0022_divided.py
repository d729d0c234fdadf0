"""When an account was divided last: of before that nothing can be told any more."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SCHEMA = "rewards"


def upgrade() -> None:
    """Where that is not known, but parts were moved, it counts as now."""
    op.add_column("members", sa.Column("divided_at", sa.DateTime(timezone=True)), schema=SCHEMA)
    op.execute("""
        UPDATE rewards.members m SET divided_at = now()
        WHERE EXISTS (SELECT FROM rewards.parts p WHERE p.customer_id = m.customer_id OR p.part = m.customer_id)
        """)


def downgrade() -> None:
    """Forget it."""
    op.drop_column("members", "divided_at", schema=SCHEMA)
