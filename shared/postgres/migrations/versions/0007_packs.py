"""The log keeps several records in a row."""

from shared.bus.log.migration import begin_packs, end_packs

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows of several records."""
    begin_packs("platform", "log")


def downgrade() -> None:
    """Rows of one."""
    end_packs("platform", "log")
