"""The tables of segments: their rules, who is in them, and where the population was cut into percentiles."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, MetaData, SmallInteger, String, Table

from services.scoring.adapters.tables.column_types import ID, MOMENT


def segment_tables(metadata: MetaData) -> None:
    """Define them in the service's metadata."""
    Table(
        "segments",
        metadata,
        Column("id", ID, primary_key=True),
        Column("rule", String, nullable=False),
        Column("actor", String),
        Column("changed_at", MOMENT, nullable=False),
        comment="Saved over the API; the program's are in its file.",
    )
    Table(
        "memberships",
        metadata,
        Column("segment", ID, primary_key=True),
        Column("customer_id", ID, primary_key=True),
        Column("since", MOMENT, nullable=False),
    )
    Table(
        "rankings",
        metadata,
        Column("at", MOMENT, primary_key=True),
        Column("cuts", String, nullable=False),
        comment="Where the population was cut into percentiles, kept for ever: what ?at= looks at.",
    )
    Table(
        "segment_revision",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("revision", BigInteger, nullable=False),
        Column(
            "program",
            Integer,
            nullable=False,
            server_default="0",
            comment="The version of the program that counts; 0: the file that the process was started with.",
        ),
        CheckConstraint("id = 1", name="segment_revision_one_row"),
        comment="Counts changes of segments and rankings, so that whoever has read them knows when to read again.",
    )
    Table(
        "segment_pass",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("cause", String, nullable=False, comment="The day, the ranking and the rules it is for."),
        Column("after_id", ID, comment="How far it has come; null when it is done."),
        Column("begun_at", MOMENT, nullable=False),
        Column("passed", String, nullable=False, comment="The rules of the last one that was done."),
        CheckConstraint("id = 1", name="segment_pass_one_row"),
    )
