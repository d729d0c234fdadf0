"""The tables of tiers: given by hand, what they bring, how they came about, how members stood at every moment."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    false,
)

NAME = String(collation="C")  # ids are compared as bytes
TIME = DateTime(timezone=True)


def tier_tables(metadata: MetaData) -> None:
    """Add them to the service's metadata."""
    Table(
        "tier_grants",
        metadata,
        Column("id", NAME, primary_key=True),
        Column("customer_id", NAME, nullable=False),
        Column("tier", NAME, nullable=False),
        Column("at", TIME, nullable=False),
        Column("until", TIME, nullable=False),
        Column("reason", String, nullable=False),
        Column("actor", String, nullable=False),
        Column("revoked_at", TIME),
        Column("revoked_by", String),
        Column("part", NAME),
        CheckConstraint("at < until", "tier_grants_until"),
        Index("tier_grants_customer", "customer_id"),
    )
    Table(
        "tier_benefits",
        metadata,
        Column("customer_id", NAME, primary_key=True),
        Column("tier", NAME, primary_key=True),
        Column("offer", NAME, primary_key=True),
        Column("anchor", TIME, nullable=False),
        Column("issued", Integer, nullable=False),
        Column("part", NAME),
        Column("every", NAME),
        Index("tier_benefits_every", "tier", "offer", "every"),
        comment="Offers that tiers bring each period: from when periods count, and the last one that had its offer.",
    )
    Table(
        "tier_history",
        metadata,
        Column("customer_id", NAME, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("at", TIME, nullable=False),
        Column("old", String),
        Column("new", String, nullable=False),
        Column("reason", String, nullable=False),
        Column("spend", Numeric, nullable=False),
        Column("cause", String, nullable=False),
        Column("program_version", Integer, nullable=False),
        Column("until", TIME),
    )
    Table(
        "standings",
        metadata,
        Column("customer_id", NAME, primary_key=True),
        Column("at", TIME, primary_key=True),
        Column("tier", String),
        Column("tier_since", TIME),
        Column("tier_until", TIME),
        Column("tier_status", String, nullable=False),
        Column("joined_at", TIME),
        Column("first", Boolean, nullable=False, server_default=false()),
        Column("number", BigInteger, Identity(always=True), nullable=False),
        comment="How members stood towards tiers from `at` on. `first`: of before that nothing was kept.",
    )
