"""Of orders told several times, which telling counts: of those at one moment the one whose identity sorts first."""

from alembic import op

from shared.postgres.statistics import forgo

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Null for all that are there: of them the first telling counts where there are several at one moment."""
    op.execute("ALTER TABLE rewards.purchases ADD COLUMN told bigint")
    forgo("rewards", "purchases", ("told",))


def downgrade() -> None:
    """Forget it."""
    op.execute("ALTER TABLE rewards.purchases DROP COLUMN told")
