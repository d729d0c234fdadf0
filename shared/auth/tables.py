"""The table of API keys in schema `platform`, for `shared.tables`, which gathers them."""

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP


def add_tables(metadata: MetaData) -> None:
    """Declare `api_keys` on `metadata`. The token itself is nowhere: only its SHA-256."""
    Table(
        "api_keys",
        metadata,
        Column("hash", LargeBinary, primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        Column("name", Text, nullable=False),
        Column("scopes", ARRAY(Text), nullable=False),
        Column("created_at", TIMESTAMP(timezone=True), nullable=False),
        Column("expires_at", TIMESTAMP(timezone=True)),
        Column("revoked_at", TIMESTAMP(timezone=True)),
        Column("last_used_at", TIMESTAMP(timezone=True)),
    )
