"""Whether a provider may have a message, and the contact that it was begun with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "deliveries"


def upgrade() -> None:
    """Add both columns."""
    op.add_column("messages", sa.Column("begun_at", sa.DateTime(timezone=True)), schema=SCHEMA)
    op.add_column("messages", sa.Column("contact_sealed", sa.LargeBinary), schema=SCHEMA)
    op.create_check_constraint(
        "messages_begun",
        "messages",
        "begun_at IS NULL AND contact_sealed IS NULL OR state = 'sending'",
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_constraint("messages_begun", "messages", schema=SCHEMA)
    for column in ("contact_sealed", "begun_at"):
        op.drop_column("messages", column, schema=SCHEMA)
