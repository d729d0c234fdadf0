"""By when customers were looked at for what time brings: a clock that was ahead is found by it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SCHEMA = "scoring"


def upgrade() -> None:
    """Whoever was looked at was so by as far as days were told."""
    op.add_column("coming_days", sa.Column("looked_at", sa.DateTime(timezone=True)), schema=SCHEMA)
    op.execute("UPDATE scoring.coming_days SET looked_at = told_until")
    op.create_index("coming_days_looked_at", "coming_days", ["looked_at"], schema=SCHEMA)


def downgrade() -> None:
    """Forget it."""
    op.drop_index("coming_days_looked_at", "coming_days", schema=SCHEMA)
    op.drop_column("coming_days", "looked_at", schema=SCHEMA)
