"""The tables of what is due: the days of customers, and the occasions that campaigns ask for."""

from sqlalchemy import CheckConstraint, Column, Index, MetaData, SmallInteger, String, Table, text

from services.scoring.adapters.tables.column_types import ID, MOMENT


def due_tables(metadata: MetaData) -> None:
    """Define them in the service's metadata."""
    Table(
        "coming_days",
        metadata,
        Column("customer_id", ID, primary_key=True),
        Column("next_at", MOMENT),
        Column("told_until", MOMENT, nullable=False),
        Column(
            "marks",
            String,
            nullable=False,
            server_default="",
            comment="Which occasions stood when last looked at, with spaces between.",
        ),
        Column("looked_at", MOMENT),
        Index("coming_days_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("coming_days_looked_at", "looked_at"),
        comment="When the next birthday or anniversary begins, or an occasion may be due, and how far they were told.",
    )
    Table(
        "occasions",
        metadata,
        Column("name", String, primary_key=True),
        Column("since", MOMENT, nullable=False, comment="What was due before is not told."),
        comment="The occasions that campaigns ask for: silence and how long, renewals and how long ahead.",
    )
    Table(
        "occasion_pass",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("digest", String, nullable=False, comment="Of the occasions that it is for."),
        Column("after_id", ID, comment="How far it has come; null when it is done."),
        CheckConstraint("id = 1", name="occasion_pass_one_row"),
    )
