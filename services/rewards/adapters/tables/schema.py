"""The tables of schema `rewards`. The ledger and all that decisions load have the customer in their key; what is found
by ids of its own stands in `spending.py`."""

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
    UniqueConstraint,
    false,
    text,
)

from services.rewards.adapters.tables.books import book_tables
from services.rewards.adapters.tables.campaigns import campaign_tables
from services.rewards.adapters.tables.spending import checkout_tables
from services.rewards.adapters.tables.tiering import tier_tables
from shared.bus.consuming.dead_letters import dead_letter_table
from shared.bus.consuming.offsets import offset_table, unread_table
from shared.bus.log.tables import log_tables
from shared.http.idempotency import idempotency_table

metadata = MetaData(schema="rewards")

NAME = String(collation="C")  # ids are compared as bytes: every write descends an index of them
TIME = DateTime(timezone=True)

members = Table(
    "members",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("pending", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("debt", BigInteger, nullable=False),
    Column("lifetime_earned", BigInteger, nullable=False),
    Column("tier", String),
    Column("tier_since", TIME),
    Column("tier_until", TIME),
    Column("tier_status", String, nullable=False, server_default=text("''")),
    Column("tier_due", TIME),
    Column("tier_noticed", TIME),
    Column("tier_changes", Integer, nullable=False),
    Column("spend", Numeric, nullable=False),
    Column("spend_since", TIME),
    Column("merged_into", NAME),
    Column("merged_by", String),
    Column("renewed_since", TIME),
    Column("renewed_until", TIME),
    Column("joined_at", TIME),
    Column("goals_until", TIME),
    Column("divided_at", TIME),
    Column("tier_promise", NAME, nullable=False, server_default=text("''")),
    CheckConstraint("tier_status IN ('', 'grace', 'granted')", "members_tier_status"),
    CheckConstraint("available >= 0", "members_available"),
    CheckConstraint("pending >= 0", "members_pending"),
    CheckConstraint("reserved >= 0", "members_reserved"),
    CheckConstraint("debt >= 0", "members_debt"),
    CheckConstraint("lifetime_earned >= 0", "members_lifetime_earned"),
    CheckConstraint("debt = 0 OR available = 0", "members_debt_is_paid_first"),
    Index("members_tier_due", "tier_due", postgresql_where=text("tier_due IS NOT NULL")),
    Index("members_tier_promise", "tier", "tier_promise", postgresql_where=text("tier IS NOT NULL")),
    Index("members_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
    postgresql_with={"fillfactor": "70"},  # rewritten with every batch: room for the new row on the same page
)

entries = Table(
    "entries",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", TIME, nullable=False),
    Column("recorded_at", TIME, nullable=False),
    Column("kind", String, nullable=False),
    Column("debit", String, nullable=False),
    Column("credit", String, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("lot", BigInteger),
    Column("rule", String),
    Column("cause", String, nullable=False),
    Column("program_version", Integer, nullable=False),
    Column("key", NAME, nullable=False),
    CheckConstraint("points > 0", "entries_points"),
    CheckConstraint("debit <> credit", "entries_accounts"),
    CheckConstraint(
        "debit LIKE 'customer:%' OR credit LIKE 'customer:%'"
        " OR (debit = 'program:expired' AND credit = 'program:issued')",
        "entries_customer",
    ),
    CheckConstraint(
        "lot IS NOT NULL OR NOT"
        " (ARRAY[debit, credit]::text[] && ARRAY['customer:available', 'customer:pending'])",
        "entries_lot",
    ),
    UniqueConstraint("customer_id", "key", name="entries_business_key"),
    Index("entries_recorded_at", "recorded_at", postgresql_using="brin"),
)

lots = Table(
    "lots",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("lot", BigInteger, primary_key=True, autoincrement=False),
    Column("expires_at", TIME),
    Column("available_at", TIME),
    Column("pending", Boolean, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("expired", BigInteger, nullable=False),
    Column("part", NAME),
    Column("renewable", Boolean, nullable=False, server_default=false()),
    Column("noticed", Boolean, nullable=False, server_default=false()),
    CheckConstraint("remaining >= 0 AND expired >= 0 AND remaining + expired <= points", "lots_remaining"),
    CheckConstraint("NOT pending OR available_at IS NOT NULL", "lots_pending"),
    Index("lots_expires_at", "noticed", "expires_at", postgresql_where=text("remaining > 0")),
    Index("lots_available_at", "available_at", postgresql_where=text("pending AND remaining > 0")),
)

purchases = Table(
    "purchases",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("order_id", NAME, primary_key=True),
    Column("placed_at", TIME),
    Column("currency", String),
    Column("total", Numeric, nullable=False),
    Column("net", Numeric, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("lot", BigInteger),
    Column("grants", String),
    Column("refunds", String),
    Column("part", NAME),
    Column("basket", String),
    Column("told", BigInteger),
    CheckConstraint("net >= 0 AND net <= total", "purchases_net"),
)

rule_uses = Table(
    "rule_uses",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("rule", NAME, primary_key=True),
    Column("cause", NAME, primary_key=True),
    Column("scope", String, nullable=False),
    Column("at", TIME, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("part", NAME),
)

rule_budgets = Table(
    "rule_budgets",
    metadata,
    Column("rule", NAME, primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("allotted", BigInteger, nullable=False),
    Column("given", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("given >= 0 AND given <= allotted", "rule_budgets_given"),
    comment="Points of a rule for all customers together, spread so that workers need not wait for each other.",
)

referral_ids = Table(
    "referral_ids",
    metadata,
    Column("referral_id", NAME, primary_key=True),
    Column("customer_id", NAME),
    Column("at", TIME),
    Column("cause", NAME),
    Column("part", NAME),
    Index("referral_ids_customer", "customer_id"),
    comment="Who brings friends under which id; without a customer: friends wait for who does.",
)

referrals = Table(
    "referrals",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("referral_id", NAME, nullable=False),
    Column("at", TIME, nullable=False),
    Column("cause", NAME, nullable=False),
    Column("due_at", TIME),
    Column("closed", String),
    Column("part", NAME),
    Index("referrals_due_at", "due_at", postgresql_where=text("closed IS NULL")),
    Index("referrals_referral_id", "referral_id"),
    comment="Friends who came by a referral, and when it is decided.",
)

milestones = Table(
    "milestones",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("milestone", NAME, primary_key=True),
    Column("occasion", NAME, primary_key=True),
    Column("at", TIME, nullable=False),
    Column("cause", String, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("program_version", Integer, nullable=False),
    Column("part", NAME),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("customer_id", NAME, nullable=False),
    Column("taken_at", TIME),
    Column("number", BigInteger),
)

activities = Table(
    "activities",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("taken_at", TIME, primary_key=True),
    Column("record", LargeBinary, nullable=False),
    postgresql_partition_by="RANGE (taken_at)",  # by month: `rewards.add_activity_month`
)

aliases = Table(
    "aliases",
    metadata,
    Column("pseudonym", NAME, primary_key=True),
    Column("customer_id", NAME, nullable=False),
    Index("aliases_customer", "customer_id"),
)

parts = Table(
    "parts",
    metadata,
    Column("part", NAME, primary_key=True),
    Column("customer_id", NAME, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    comment="Parts of customers that went to others, whose they are now, and by which change.",
)

book_tables(metadata)
checkout_tables(metadata)
campaign_tables(metadata)
tier_tables(metadata)
log_tables(metadata, "outbox")
offset_table(metadata)
unread_table(metadata)
dead_letter_table(metadata)
idempotency_table(metadata)
