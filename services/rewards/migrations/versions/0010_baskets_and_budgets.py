"""What orders were made of, where a rule asks; points that rules may give to all customers together."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")


def upgrade() -> None:
    """Add a column that is null for nearly all rows, and a small table."""
    op.add_column("purchases", sa.Column("basket", sa.String), schema=SCHEMA)
    op.create_table(
        "rule_budgets",
        sa.Column("rule", NAME, primary_key=True),
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("allotted", sa.BigInteger, nullable=False),
        sa.Column("given", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("given >= 0 AND given <= allotted", "rule_budgets_given"),
        schema=SCHEMA,
        comment="Points of a rule for all customers together, spread so that workers need not wait for each other.",
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("rule_budgets", schema=SCHEMA)
    op.drop_column("purchases", "basket", schema=SCHEMA)
