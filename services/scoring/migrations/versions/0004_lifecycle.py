"""Customers: until when they are loyal, and when they will have churned."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
COLUMNS = ("churns_at", "loyal_until")


def upgrade() -> None:
    """Add the two moments; who is there already gets them when folded again."""
    for name in COLUMNS:
        op.add_column("customers", sa.Column(name, sa.DateTime(timezone=True)), schema=SCHEMA)


def downgrade() -> None:
    """Take them away."""
    for name in COLUMNS:
        op.drop_column("customers", name, schema=SCHEMA)
