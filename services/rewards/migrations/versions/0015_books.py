"""An index by which entries of a time are found: they lie in the order in which they were recorded."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
KEEPER = "regulars_ledger"  # whose the entries are
SERVICE = "regulars_rewards"


def upgrade() -> None:
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    op.create_index("entries_recorded_at", "entries", ["recorded_at"], schema=SCHEMA, postgresql_using="brin")
    op.execute(f"SET LOCAL ROLE {SERVICE}")


def downgrade() -> None:
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    op.drop_index("entries_recorded_at", "entries", schema=SCHEMA)
    op.execute(f"SET LOCAL ROLE {SERVICE}")
