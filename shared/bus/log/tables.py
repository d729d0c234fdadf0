"""Tables of the bus on PostgreSQL: the log, who reads it, and how far each group has come."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    text,
    true,
)

TOPIC = String(collation="C")  # compared as bytes: the index of a log is descended for every read and write


def log_tables(metadata: MetaData, prefix: str, *, on_request: bool = False) -> tuple[Table, Table]:
    """The tables `<prefix>_records` and `<prefix>_heads` of a `PostgresLog`, in the metadata's schema.

    A row holds so many `records`, the last of which has the `offset` (see `packs`). `awaited` says that a reader has
    asked to be told, where readers do.
    """
    awaited = Column("awaited", Boolean, nullable=False, server_default=true())
    records = Table(
        f"{prefix}_records",
        metadata,
        Column("topic", TOPIC, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("offset", BigInteger, primary_key=True, autoincrement=False),
        Column("records", Integer, nullable=False, server_default=text("1")),
        Column("key", String, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        # Records of a few kilobytes stay in the row as they are: compressing them costs more than writing them.
        postgresql_with={"toast_tuple_target": "8160"},
    )
    heads = Table(
        f"{prefix}_heads",
        metadata,
        Column("topic", TOPIC, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("next_offset", BigInteger, nullable=False),
        *([awaited] if on_request else []),
    )
    return records, heads


def bus_tables(metadata: MetaData) -> None:
    """The tables of the bus on PostgreSQL, in schema `platform`."""
    log_tables(metadata, "log", on_request=True)
    Table(
        "log_members",
        metadata,
        Column("group_name", TOPIC, primary_key=True),
        Column("topic", TOPIC, primary_key=True),
        Column("member", TOPIC, primary_key=True),
        Column("backend", Integer, nullable=False),
        Column("seen_at", DateTime(timezone=True), nullable=False),
    )
    Table(
        "log_positions",
        metadata,
        Column("group_name", TOPIC, primary_key=True),
        Column("topic", TOPIC, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("position", BigInteger, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
    )
