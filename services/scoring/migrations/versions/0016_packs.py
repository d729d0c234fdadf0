"""The outbox keeps several records in a row."""

from shared.bus.log.migration import begin_packs, end_packs

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows of several records."""
    begin_packs("scoring", "outbox")


def downgrade() -> None:
    """Rows of one."""
    end_packs("scoring", "outbox")
