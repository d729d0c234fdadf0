"""The tables of program versions in schema `platform`, for `shared.tables`, which gathers them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP

MOMENT = TIMESTAMP(timezone=True)


def add_tables(metadata: MetaData) -> None:
    """Declare `programs` and `program_activations` on `metadata`."""
    Table(
        "programs",
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("source", Text, nullable=False),
        Column("retired", Text, nullable=False),
        Column("origin", Text, nullable=False),
        Column("actor", Text),
        Column("at", MOMENT, nullable=False),
        CheckConstraint("origin IN ('file', 'api', 'command')", "programs_origin"),
    )
    Table(
        "program_activations",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("version", Integer, ForeignKey("platform.programs.version"), nullable=False),
        Column("starts_at", MOMENT, nullable=False),
        Column("decided_at", MOMENT, nullable=False),
        Column("actor", Text),
        Column("cancelled_at", MOMENT),
        Column("cancelled_by", Text),
        CheckConstraint("cancelled_at < starts_at", "program_activations_cancelled_before_start"),
        Index("program_activations_starts_at", "starts_at", "id"),
    )
