"""Processes of the release before packs are kept out of the log."""

from shared.bus.log.migration import keep_out_those_before_packs, let_in_those_before_packs

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What they ask for is not there."""
    keep_out_those_before_packs("rewards", "outbox")


def downgrade() -> None:
    """It is there again."""
    let_in_those_before_packs("rewards", "outbox")
