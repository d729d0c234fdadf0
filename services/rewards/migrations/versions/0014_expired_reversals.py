"""Points that had expired are taken back from there: the one entry without an account of the customer."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NAME = "entries_customer"
BEFORE = "debit LIKE 'customer:%' OR credit LIKE 'customer:%'"
AFTER = f"{BEFORE} OR (debit = 'program:expired' AND credit = 'program:issued')"


def _check(condition: str) -> None:
    op.execute("SET LOCAL ROLE regulars_ledger")  # whose the entries are
    op.drop_constraint(NAME, "entries", schema="rewards")
    op.create_check_constraint(NAME, "entries", condition, schema="rewards")
    op.execute("SET LOCAL ROLE regulars_rewards")


def upgrade() -> None:
    _check(AFTER)


def downgrade() -> None:
    _check(BEFORE)
