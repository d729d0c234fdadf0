"""Deliveries raises alerts: of endpoints that it has disabled."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLE = "regulars_deliveries"


def upgrade() -> None:
    """Let it raise."""
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON platform.alerts TO {ROLE}")


def downgrade() -> None:
    """Let it no longer."""
    op.execute(f"REVOKE ALL ON platform.alerts FROM {ROLE}")
