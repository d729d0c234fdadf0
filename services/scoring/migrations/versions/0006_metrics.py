"""Metrics: notes of changed customers, their rollups, and the sums behind the metrics."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
ID = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)
MEASURES = (
    "orders",
    "priced_orders",
    "revenue",
    "buyers",
    "new_buyers",
    "second_buyers",
    "retained_buyers",
    "gaps",
    "gap_days",
    "products",
    "product_buyers",
    "known",
    "churned",
    "won_back",
    "engagements",
    "engaged",
    "engaged_before",
    "churned_engaged",
    "nps_answers",
    "promoters",
    "detractors",
    "csat_answers",
    "satisfied",
)


def upgrade() -> None:
    """Make the tables, and note every customer that is there already."""
    op.create_table(
        "stale_rollups",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("customers", ARRAY(sa.String), nullable=False),
        sa.Column("sinces", ARRAY(MOMENT), nullable=False),
        schema=SCHEMA,
        comment="Customers whose rollups are out of date: a row per batch that changed some.",
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "rollups",
        sa.Column("customer_id", ID, primary_key=True),
        sa.Column("due_at", MOMENT, comment="When time alone changes the rollup."),
        sa.Column("rollup", sa.String, nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "rollups_due", "rollups", ["due_at"], schema=SCHEMA, postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_table(
        "metric_sums",
        sa.Column("segment", ID, primary_key=True, comment="Empty for all customers."),
        sa.Column(
            "cohort",
            sa.Date,
            primary_key=True,
            comment="Month of the first order; 0001-01-01 for those who have not ordered.",
        ),
        sa.Column("month", sa.Date, primary_key=True),
        *(
            sa.Column(name, sa.Numeric if name == "revenue" else sa.BigInteger, nullable=False)
            for name in MEASURES
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "completeness_sums",
        sa.Column("segment", ID, primary_key=True, comment="Empty for all customers."),
        sa.Column("field", ID, primary_key=True),
        sa.Column("customers", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "rollup_rules",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("rules", sa.String, nullable=False),
        sa.CheckConstraint("id = 1", name="rollup_rules_one_row"),
        schema=SCHEMA,
        comment="What the rollups were made by: with other rules, everybody is counted anew.",
    )
    op.execute(
        "INSERT INTO scoring.stale_rollups (at, customers, sinces)"
        " SELECT now(), array_agg(id), array_agg(CAST(NULL AS timestamptz))"
        " FROM (SELECT id, row_number() OVER () / 500 AS part FROM scoring.customers) c GROUP BY part"
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("rollup_rules", "completeness_sums", "metric_sums", "rollups", "stale_rollups"):
        op.drop_table(table, schema=SCHEMA)
