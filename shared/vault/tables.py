"""Tables of the vault in schema `platform`, for `shared.tables`, which gathers them."""

from sqlalchemy import CheckConstraint, Column, LargeBinary, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP


def add_tables(metadata: MetaData) -> None:
    """Declare `subject_keys` and `secret_check` on `metadata`."""
    Table(
        "subject_keys",
        metadata,
        Column("subject", Text, primary_key=True),
        Column("key", LargeBinary),  # wrapped under the master key; null once destroyed
        Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        Column("destroyed_at", TIMESTAMP(timezone=True)),
        CheckConstraint("(key IS NULL) = (destroyed_at IS NOT NULL)", name="subject_keys_destroyed"),
    )
    Table(
        "secret_check",
        metadata,
        Column("id", SmallInteger, primary_key=True, autoincrement=False),
        Column("value", LargeBinary, nullable=False),
        CheckConstraint("id = 1", name="secret_check_one_row"),
    )
