"""Alerts: raised by any service, decided about by people, told of once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "platform"
MOMENT = TIMESTAMP(timezone=True)
NAME = sa.String(collation="C")


def upgrade() -> None:
    """Make the table. Rewards raises, tells, and lets alerts follow merges; scoring raises, and writes what people
    decide."""
    op.create_table(
        "alerts",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("customer_id", NAME, nullable=False, comment="Empty where it is about the shop."),
        sa.Column(
            "part", NAME, comment="The part of the customer that it came from; null: the one of that id."
        ),
        sa.Column("subject", NAME, nullable=False, comment="What else it is about, such as offer:summer."),
        sa.Column("rule", sa.String, comment="The campaign that raised it; null: the system itself."),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("program_version", sa.Integer),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("last_cause", sa.String, nullable=False),
        sa.Column(
            "times", sa.BigInteger, nullable=False, comment="How often there was reason while it was open."
        ),
        sa.Column("details", JSONB, nullable=False, comment="Figures, and ids; nothing personal."),
        sa.Column("assigned_to", sa.String),
        sa.Column("assigned_at", MOMENT),
        sa.Column("assigned_by", sa.String),
        sa.Column("closed_at", MOMENT),
        sa.Column("closed_by", sa.String),
        sa.Column("note", sa.LargeBinary, comment="Sealed."),
        sa.Column("note_subject", sa.String, comment="Under whose key."),
        sa.Column("tell", sa.Boolean, comment="Whether the customer is to hear of it."),
        sa.Column("told", sa.SmallInteger, nullable=False, comment="0: nothing yet, 1: raised, 2: closed."),
        sa.CheckConstraint("times > 0", name="alerts_times"),
        sa.CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="alerts_closed"),
        sa.CheckConstraint("told BETWEEN 0 AND 2", name="alerts_told"),
        schema=SCHEMA,
    )
    op.create_index("alerts_raised_at", "alerts", ["raised_at", "id"], schema=SCHEMA)
    op.create_index("alerts_customer", "alerts", ["customer_id", "kind", "subject"], schema=SCHEMA)
    op.create_index(
        "alerts_open",
        "alerts",
        ["raised_at", "id"],
        schema=SCHEMA,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "alerts_open_of_shop",
        "alerts",
        ["kind", "subject"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("closed_at IS NULL AND customer_id = ''"),
    )
    op.create_index(
        "alerts_untold",
        "alerts",
        ["raised_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("told = 0 OR (told = 1 AND closed_at IS NOT NULL)"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {SCHEMA}.alerts TO regulars_rewards")
    op.execute(
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.alerts TO regulars_scoring"
    )  # deletes: erasure


def downgrade() -> None:
    """Drop it."""
    op.drop_table("alerts", schema=SCHEMA)
