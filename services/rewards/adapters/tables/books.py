"""The tables of the books by day."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    MetaData,
    SmallInteger,
    String,
    Table,
)


def book_tables(metadata: MetaData) -> None:
    """Add them to the service's metadata."""
    Table(
        "booked",
        metadata,
        Column("day", Date, primary_key=True),
        Column("debit", String, primary_key=True),
        Column("credit", String, primary_key=True),
        Column("points", BigInteger, nullable=False),
        comment="Sums of entries by the day on which they were recorded, in the time zone of `booking`.",
    )
    Table(
        "unbooked",
        metadata,
        Column("recorded_at", DateTime(timezone=True), nullable=False),
        Column("debit", String, nullable=False),
        Column("credit", String, nullable=False),
        Column("points", BigInteger, nullable=False),
        comment="Sums of entries that are not in `booked` yet; a trigger on entries leaves them.",
    )
    Table(
        "booking",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("time_zone", String, nullable=False, comment="Of the days in `booked`; empty: not made yet."),
        CheckConstraint("id = 1", name="booking_one_row"),
    )
