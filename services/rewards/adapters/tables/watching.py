"""The tables by which redemptions are watched."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    MetaData,
    SmallInteger,
    String,
    Table,
)

NAME = String(collation="C")
TIME = DateTime(timezone=True)


def watch_tables(metadata: MetaData) -> None:
    """Add them to the service's metadata."""
    Table(
        "redemption_quarters",
        metadata,
        Column("item", NAME, primary_key=True),
        Column("quarter", TIME, primary_key=True),
        Column("times", BigInteger, nullable=False),
        Column("points", BigInteger, nullable=False),
        Index("redemption_quarters_quarter", "quarter"),
        comment="Points redeemed (item: points) and codes used (item: offer:…), by the quarter of an hour.",
    )
    Table(
        "redemption_norms",
        metadata,
        Column("day", Date, primary_key=True),
        Column("customer_days", BigInteger, nullable=False),
        Column("median", Float, nullable=False),
        Column("spread", Float, nullable=False),
        comment="What customers usually redeem a day, of ln(1 + points), as it was when the day began.",
    )
    Table(
        "redemption_watch",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("next_at", TIME, comment="The next quarter to look at; null: nobody has looked yet."),
        Column("told_from", TIME, comment="Of what came before nobody is told."),
        CheckConstraint("id = 1", name="redemption_watch_one_row"),
    )
