"""The timeline keeps what was read in the texts of an event."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, which rewrites no row."""
    op.add_column(
        "timeline",
        sa.Column(
            "reading",
            sa.String,
            comment="What its texts say: how they sound, and where they give a tag; no words.",
        ),
        schema="scoring",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("timeline", "reading", schema="scoring")
