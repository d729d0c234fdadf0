"""Which sentiment engine the workers read texts by: a rebuild must not measure the past by another one."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCHEMA = "scoring"


def upgrade() -> None:
    """Unknown until a worker starts."""
    op.create_table(
        "text_engine",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("engine", sa.String, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name="text_engine_one_row"),
        schema=SCHEMA,
        comment="The engine of the worker that started last.",
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("text_engine", schema=SCHEMA)
