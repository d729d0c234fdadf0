"""The tables behind the metrics: rollups, who has an old one, and sums of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    text,
)

from services.scoring.adapters.tables.column_types import ID, MOMENT
from services.scoring.domain.metrics.measures import NAMES as MEASURES


def metric_tables(metadata: MetaData) -> None:
    """Define them in the service's metadata."""
    Table(
        "stale_rollups",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("at", MOMENT, nullable=False),
        Column("since", MOMENT, comment="Events from then on may be counted otherwise; null: any."),
        Column("customers", String, nullable=False, comment="Ids with spaces between; not compressed."),
        comment="Customers whose rollups are out of date: a row per batch that changed some.",
        postgresql_with={"toast_tuple_target": "8160"},
    )
    Table(
        "rollups",
        metadata,
        Column("customer_id", ID, primary_key=True),
        Column("due_at", MOMENT, comment="When time alone changes the rollup."),
        Column("rollup", String, nullable=False),
        Index("rollups_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )
    Table(
        "metric_sums",
        metadata,
        Column("segment", ID, primary_key=True, comment="Empty for all customers."),
        Column(
            "cohort",
            Date,
            primary_key=True,
            comment="Month of the first order, in the sums of all customers; 0001-01-01 elsewhere, and for none.",
        ),
        Column("month", Date, primary_key=True),
        *(Column(name, Numeric if name == "revenue" else BigInteger, nullable=False) for name in MEASURES),
    )
    Table(
        "completeness_sums",
        metadata,
        Column("segment", ID, primary_key=True, comment="Empty for all customers."),
        Column("field", ID, primary_key=True),
        Column("customers", BigInteger, nullable=False),
    )
    Table(
        "rollup_rules",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("rules", String, nullable=False),
        CheckConstraint("id = 1", name="rollup_rules_one_row"),
        comment="What the rollups were made by: with other rules, everybody is counted anew.",
    )
