"""No statistics of what nobody searches by, or only within a customer's rows."""

from alembic import op

from shared.postgres.statistics import forgo, keep

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
KEEPER = "regulars_ledger"  # whose the entries are
SERVICE = "regulars_rewards"
CARRIED = {
    "inbox": ("id", "customer_id", "taken_at", "number"),
    "purchases": ("order_id", "currency", "total", "lot", "grants", "refunds", "part", "basket"),
}
"""Of columns that are the rest of a key the index says all that matters: that they are unique."""
OF_ENTRIES = ("number", "points", "lot", "cause", "program_version", "key")


def upgrade() -> None:
    """Forgo them."""
    for table, columns in CARRIED.items():
        forgo(SCHEMA, table, columns)
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    forgo(SCHEMA, "entries", OF_ENTRIES)
    op.execute(f"SET LOCAL ROLE {SERVICE}")


def downgrade() -> None:
    """Keep them again."""
    for table, columns in CARRIED.items():
        keep(SCHEMA, table, columns)
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    keep(SCHEMA, "entries", OF_ENTRIES)
    op.execute(f"SET LOCAL ROLE {SERVICE}")
