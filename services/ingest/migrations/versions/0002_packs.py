"""The spool keeps several records in a row."""

from shared.bus.log.migration import begin_packs, end_packs

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows of several records."""
    begin_packs("ingest", "spool")


def downgrade() -> None:
    """Rows of one."""
    end_packs("ingest", "spool")
