"""Notes of changed customers as one text each; all are counted anew, as cohorts are no longer told apart by segment."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table anew, and begin from nothing."""
    op.drop_table("stale_rollups", schema=SCHEMA)
    op.create_table(
        "stale_rollups",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("since", MOMENT, comment="Events from then on may be counted otherwise; null: any."),
        sa.Column("customers", sa.String, nullable=False, comment="Ids with spaces between; not compressed."),
        schema=SCHEMA,
        comment="Customers whose rollups are out of date: a row per batch that changed some.",
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.execute("ALTER TABLE scoring.stale_rollups ALTER customers SET STORAGE EXTERNAL")
    op.execute(
        "COMMENT ON COLUMN scoring.metric_sums.cohort IS"
        " 'Month of the first order, in the sums of all customers; 0001-01-01 elsewhere, and for none.'"
    )
    for table in ("rollups", "metric_sums", "completeness_sums"):
        op.execute(f"DELETE FROM scoring.{table}")  # noqa: S608  # the names are our own
    op.execute(
        "INSERT INTO scoring.stale_rollups (at, customers) SELECT now(), string_agg(id, ' ')"
        " FROM (SELECT id, row_number() OVER () / 500 AS part FROM scoring.customers) c GROUP BY part"
    )


def downgrade() -> None:
    """The table as it was; who was noted is forgotten with it."""
    op.drop_table("stale_rollups", schema=SCHEMA)
    op.create_table(
        "stale_rollups",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("customers", sa.ARRAY(sa.String), nullable=False),
        sa.Column("sinces", sa.ARRAY(MOMENT), nullable=False),
        schema=SCHEMA,
        comment="Customers whose rollups are out of date: a row per batch that changed some.",
        postgresql_with={"toast_tuple_target": "8160"},
    )
