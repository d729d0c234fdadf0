"""Segments: rules saved over the API, who is in which, the facts that previews count, and how all compare."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
ID = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)
TABLES = ("facts", "segments", "memberships", "rankings", "segment_revision", "segment_pass")


def upgrade() -> None:
    """Make the tables; customers who are known get their membership and facts by the first pass."""
    op.add_column(
        "customers",
        sa.Column(
            "segments",
            sa.String,
            nullable=False,
            server_default="",
            comment="Ids with spaces between: the membership that the activity stream was last told.",
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "facts",
        sa.Column("customer_id", ID, primary_key=True),
        sa.Column("facts", JSONB, nullable=False),
        schema=SCHEMA,
        comment="The facts of each customer when last looked at: what previews of segments count.",
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "segments",
        sa.Column("id", ID, primary_key=True),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("actor", sa.String),
        sa.Column("changed_at", MOMENT, nullable=False),
        schema=SCHEMA,
        comment="Saved over the API; the program's are in its file.",
    )
    op.create_table(
        "memberships",
        sa.Column("segment", ID, primary_key=True),
        sa.Column("customer_id", ID, primary_key=True),
        sa.Column("since", MOMENT, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "rankings",
        sa.Column("at", MOMENT, primary_key=True),
        sa.Column("cuts", sa.String, nullable=False),
        schema=SCHEMA,
        comment="Where the population was cut into percentiles, kept for ever: what ?at= looks at.",
    )
    op.create_table(
        "segment_revision",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="segment_revision_one_row"),
        schema=SCHEMA,
        comment="Counts changes of segments and rankings, so that whoever has read them knows when to read again.",
    )
    op.create_table(
        "segment_pass",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "cause", sa.String, nullable=False, comment="The day, the ranking and the rules it is for."
        ),
        sa.Column("after_id", ID, comment="How far it has come; null when it is done."),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("passed", sa.String, nullable=False, comment="The rules of the last one that was done."),
        sa.CheckConstraint("id = 1", name="segment_pass_one_row"),
        schema=SCHEMA,
    )
    op.execute("INSERT INTO scoring.segment_revision VALUES (1, 0)")
    op.execute("INSERT INTO scoring.segment_pass VALUES (1, '', NULL, now(), '{}')")


def downgrade() -> None:
    """Drop them."""
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)
    op.drop_column("customers", "segments", schema=SCHEMA)
