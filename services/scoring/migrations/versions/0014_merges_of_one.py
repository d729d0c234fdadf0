"""The merges of one customer are found by an index."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCHEMA = "scoring"


def upgrade() -> None:
    """One index for each end, in the order in which they are shown."""
    for end in ("from", "into"):
        op.create_index(f"merge_history_{end}_id", "merge_history", [f"{end}_id", "at", "id"], schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    for end in ("into", "from"):
        op.drop_index(f"merge_history_{end}_id", "merge_history", schema=SCHEMA)
