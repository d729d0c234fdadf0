"""Standings are numbered in the order in which they were kept: clocks may be put back, and the later one counts."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that are there are numbered as they lie."""
    op.execute("ALTER TABLE rewards.standings ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY")


def downgrade() -> None:
    """Forget it."""
    op.execute("ALTER TABLE rewards.standings DROP COLUMN number")
