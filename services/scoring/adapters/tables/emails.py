"""The tables by which e-mails are counted."""

from sqlalchemy import CheckConstraint, Column, Date, Integer, MetaData, SmallInteger, Table

E_MAILS = "type IN ('email.sent', 'email.opened', 'email.clicked')"
"""What is counted, and what the index on the timeline holds."""


def email_tables(metadata: MetaData) -> None:
    """Add the tables to the service's metadata."""
    Table(
        "email_days",
        metadata,
        Column("day", Date, primary_key=True),
        Column("sent", Integer, nullable=False),
        Column("opened", Integer, nullable=False, comment="Each message once a day."),
        Column("counted_on", Date, nullable=False),
        comment="E-mails of the last weeks by the day, in the program's zone.",
    )
    Table(
        "email_watch",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("day", Date, comment="The last day that was looked at."),
        CheckConstraint("id = 1", name="email_watch_one_row"),
    )
