"""Orders of a customer are found by the customer: to keep them in the order of their days as well cost each order more
than it saved the few questions that ask for a time."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

SCHEMA = "rewards"


def upgrade() -> None:
    op.drop_index("purchases_placed_at", "purchases", schema=SCHEMA)


def downgrade() -> None:
    op.create_index("purchases_placed_at", "purchases", ["customer_id", "placed_at"], schema=SCHEMA)
