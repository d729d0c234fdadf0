"""The tables of what customers use at the checkout: redemptions, codes and their uses, stocks, refusals, by which all
that is watched; and points given by hand. They are found by ids of their own, since nobody else knows whose they
are."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    false,
    text,
)

from services.rewards.adapters.tables.watching import watch_tables

NAME = String(collation="C")  # ids are compared as bytes
TIME = DateTime(timezone=True)


def checkout_tables(metadata: MetaData) -> None:
    """Add them to the service's metadata."""
    Table(
        "offers",
        metadata,
        Column("code", NAME, primary_key=True),
        Column("customer_id", NAME, nullable=False),
        Column("offer", String, nullable=False),
        Column("rule", String, nullable=False),
        Column("cause", String, nullable=False),
        Column("program_version", Integer, nullable=False),
        Column("issued_at", TIME, nullable=False),
        Column("valid_until", TIME, nullable=False),
        Column("uses", Integer, nullable=False),
        Column("used", Integer, nullable=False, server_default=text("0")),
        Column("revoked_at", TIME),
        Column("percent", Numeric),
        Column("amount", Numeric),
        Column("free_shipping", Boolean, nullable=False, server_default=false()),
        Column("gift", String),
        Column("currency", String, nullable=False),
        Column("part", NAME),
        CheckConstraint("used >= 0 AND used <= uses", "offers_used"),
        Index("offers_customer", "customer_id", "issued_at", "code"),
    )
    Table(
        "offer_uses",
        metadata,
        Column("code", NAME, nullable=False),
        Column("customer_id", NAME, nullable=False),
        Column("order_id", String),
        Column("at", TIME, nullable=False),
        Column("actor", String, nullable=False),
        Column("id", NAME, primary_key=True),
        Column("offer", String, nullable=False),
        Column("personal", Boolean, nullable=False),
        Column("discount", Numeric),
        Column("undone_at", TIME),
        Column("part", NAME),
        Index("offer_uses_customer", "customer_id", "at"),
        Index("offer_uses_at", "at", postgresql_using="brin"),
    )
    Table(
        "stock",
        metadata,
        Column("item", NAME, primary_key=True),
        Column("taken", BigInteger, nullable=False),
        CheckConstraint("taken >= 0", "stock_taken"),
        comment="How much is taken of each offer and reward that has, or had, a stock.",
    )
    Table(
        "code_attempts",
        metadata,
        Column("subject", NAME, primary_key=True),
        Column("since", TIME, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("last", LargeBinary, nullable=False),
        Index("code_attempts_since", "since"),
        comment="Unknown codes that a customer has tried lately.",
    )
    Table(
        "redemptions",
        metadata,
        Column("id", NAME, primary_key=True),
        Column("customer_id", NAME, nullable=False),
        Column("order_id", String),
        Column("points", BigInteger, nullable=False),
        Column("value", Numeric),
        Column("currency", String, nullable=False),
        Column("status", String, nullable=False),
        Column("reserved_at", TIME, nullable=False),
        Column("expires_at", TIME, nullable=False),
        Column("ended_at", TIME),
        Column("taken", String, nullable=False),
        Column("program_version", Integer, nullable=False),
        Column("part", NAME),
        Column("reward", String),
        Column("gives", String),
        CheckConstraint("points > 0", "redemptions_points"),
        Index("redemptions_due", "expires_at", postgresql_where=text("status = 'reserved'")),
        Index("redemptions_customer", "customer_id", "reserved_at"),
        Index("redemptions_reserved_at", "reserved_at", postgresql_using="brin"),
    )
    Table(
        "refusals",
        metadata,
        Column("customer_id", NAME, primary_key=True),
        Column("request_id", NAME, primary_key=True),
        Column("at", TIME, nullable=False),
        Column("what", String, nullable=False),
        Column("code", String, nullable=False),
        Column("detail", String, nullable=False),
        Column("asked", String, nullable=False),
        Column("figures", String, nullable=False),
        Column("program_version", Integer, nullable=False),
        Column("available", BigInteger, nullable=False),
        Column("pending", BigInteger, nullable=False),
        Column("reserved", BigInteger, nullable=False),
        Column("tier", String),
        Index("refusals_at", "at"),
        comment="What the checkout was refused lately, for whoever asks why.",
    )
    Table(
        "adjustments",
        metadata,
        Column("id", NAME, primary_key=True),
        Column("customer_id", NAME, nullable=False),
        Column("points", BigInteger, nullable=False),
        Column("reason", String, nullable=False),
        Column("actor", String, nullable=False),
        Column("at", TIME, nullable=False),
    )
    watch_tables(metadata)
