"""No statistics of what nobody searches by: states, facts, records, and the second half of keys."""

from shared.postgres.statistics import forgo, keep

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
CARRIED = {
    "customers": ("state", "segments"),
    "facts": ("facts",),
    "inbox": ("event_key",),
    "orders": ("order_id", "event_key", "currency", "total", "refunded", "refunds"),
    "timeline": ("event_key", "subject", "record", "reading"),
}
"""Of columns that are the rest of a key the index says all that matters: that they are unique."""


def upgrade() -> None:
    """Forgo them."""
    for table, columns in CARRIED.items():
        forgo(SCHEMA, table, columns)


def downgrade() -> None:
    """Keep them again."""
    for table, columns in CARRIED.items():
        keep(SCHEMA, table, columns)
