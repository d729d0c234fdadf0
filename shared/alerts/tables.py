"""The table of alerts in schema `platform`, for `shared.tables`, which gathers them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

MOMENT = TIMESTAMP(timezone=True)
NAME = String(collation="C")  # ids are compared as bytes


def add_tables(metadata: MetaData) -> None:
    """Declare `alerts` on `metadata`."""
    Table(
        "alerts",
        metadata,
        Column("id", NAME, primary_key=True),
        Column("kind", NAME, nullable=False),
        Column("customer_id", NAME, nullable=False, comment="Empty where it is about the shop."),
        Column("part", NAME, comment="The part of the customer that it came from; null: the one of that id."),
        Column("subject", NAME, nullable=False, comment="What else it is about, such as offer:summer."),
        Column("rule", String, comment="The campaign that raised it; null: the system itself."),
        Column("cause", String, nullable=False),
        Column("program_version", Integer),
        Column("raised_at", MOMENT, nullable=False),
        Column("last_at", MOMENT, nullable=False),
        Column("last_cause", String, nullable=False),
        Column("times", BigInteger, nullable=False, comment="How often there was reason while it was open."),
        Column("details", JSONB, nullable=False, comment="Figures, and ids; nothing personal."),
        Column("assigned_to", String),
        Column("assigned_at", MOMENT),
        Column("assigned_by", String),
        Column("closed_at", MOMENT),
        Column("closed_by", String),
        Column("note", LargeBinary, comment="Sealed."),
        Column("note_subject", String, comment="Under whose key."),
        Column("tell", Boolean, comment="Whether the customer is to hear of it."),
        Column("told", SmallInteger, nullable=False, comment="0: nothing yet, 1: raised, 2: closed."),
        CheckConstraint("times > 0", "alerts_times"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", "alerts_closed"),
        CheckConstraint("told BETWEEN 0 AND 2", "alerts_told"),
        Index("alerts_raised_at", "raised_at", "id"),
        Index("alerts_customer", "customer_id", "kind", "subject"),
        Index("alerts_open", "raised_at", "id", postgresql_where=text("closed_at IS NULL")),
        # One customer's can be more: two that proved to be one may each have had theirs.
        Index(
            "alerts_open_of_shop",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("closed_at IS NULL AND customer_id = ''"),
        ),
        Index(
            "alerts_untold",
            "raised_at",
            postgresql_where=text("told = 0 OR (told = 1 AND closed_at IS NOT NULL)"),
        ),
    )
