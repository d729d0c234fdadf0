"""The score that was last told of a customer, so that a change of it need not be computed from the state before."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Not known of those who are there: it is then computed once."""
    score = sa.Column(
        "score", sa.SmallInteger, comment="The score that the activity stream was last told; null: not known."
    )
    op.add_column("customers", score, schema="scoring")


def downgrade() -> None:
    """Forget it."""
    op.drop_column("customers", "score", schema="scoring")
