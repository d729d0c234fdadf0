"""The tables of schema `deliveries`."""

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
    String,
    Table,
    false,
    text,
)

from services.deliveries.adapters.webhooks.tables import add_tables as add_webhook_tables
from shared.bus.consuming.dead_letters import dead_letter_table
from shared.bus.consuming.offsets import offset_table
from shared.bus.log.tables import log_tables
from shared.http.idempotency import idempotency_table

metadata = MetaData(schema="deliveries")

NAME = String(collation="C")  # ids are compared as bytes
TIME = DateTime(timezone=True)

recipients = Table(
    "recipients",
    metadata,
    Column("customer_id", NAME, primary_key=True),
    Column("locale", String),
    Column("time_zone", String),
    Column("consents", String, nullable=False),
    Column("withdrawn", String, nullable=False),
    Column("tickets_angry", Boolean, nullable=False),
    Column("emails_unopened", Integer, nullable=False),
    Column("told_at", TIME),
    comment="Customers as ones who are written to. Its row is locked by whoever decides about their messages.",
)

recipient_parts = Table(
    "recipient_parts",
    metadata,
    Column("part", NAME, primary_key=True),
    Column("customer_id", NAME, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("subject", String),
    Column("identifiers", String, nullable=False),
    Column("sealed", LargeBinary),
    Index("recipient_parts_customer", "customer_id"),
    comment="Contacts, by the part of the customer that they came with, sealed under that part's own key.",
)

messages = Table(
    "messages",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("customer_id", NAME, nullable=False),
    Column("part", NAME, nullable=False),
    Column("campaign", String, nullable=False),
    Column("run", NAME, nullable=False),
    Column("template", String, nullable=False),
    Column("arm", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("cause", NAME, nullable=False),
    Column("caused_at", TIME, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Column("program_version", Integer, nullable=False),
    Column("context", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String),
    Column("due_at", TIME),
    Column("channel", String),
    Column("attempts", Integer, nullable=False),
    Column("lease", String),
    Column("claimed_at", TIME),
    Column("sent_at", TIME),
    Column("contact_part", NAME),
    Column("begun_at", TIME),
    Column("contact_sealed", LargeBinary),
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    Column("holds", String, nullable=False, server_default=text("'[]'")),
    Column("settled_at", TIME),
    CheckConstraint(
        "state IN ('waiting', 'held', 'sending', 'sent', 'failed', 'skipped')", name="messages_state"
    ),
    CheckConstraint("(due_at IS NULL) = (state IN ('sent', 'failed', 'skipped'))", name="messages_due"),
    CheckConstraint("(lease IS NOT NULL) = (state = 'sending')", name="messages_lease"),
    CheckConstraint(
        "begun_at IS NULL AND contact_sealed IS NULL OR state = 'sending'", name="messages_begun"
    ),
    Index("messages_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("messages_customer", "customer_id", "created_at", "id"),
    Index("messages_created", "created_at", "id"),
    Index("messages_campaign", "campaign", "created_at", "id"),
    Index("messages_part", "part"),
    Index("messages_cause", "cause", postgresql_where=text("state <> 'skipped'")),
    Index("messages_run", "run", postgresql_where=text("due_at IS NOT NULL AND run <> ''")),
    postgresql_with={"fillfactor": "80"},
)

attempts = Table(
    "attempts",
    metadata,
    Column("message_id", NAME, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", TIME, nullable=False),
    Column("channel", String, nullable=False),
    Column("result", String, nullable=False),
    Column("code", String, nullable=False),
    Column("detail", String, nullable=False),
    CheckConstraint("result IN ('sent', 'refused', 'again')", name="attempts_result"),
)

suppressed = Table(
    "suppressed",
    metadata,
    Column("pseudonym", NAME, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("at", TIME, nullable=False),
    Column("message_id", NAME, nullable=False),
    Column("code", String, nullable=False),
    comment="Addresses that a provider said are no good, by their pseudonyms.",
)

providers = Table(
    "providers",
    metadata,
    Column("channel", String, primary_key=True),
    Column("arrival", TIME),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("until", TIME),
    Column("openings", Integer, nullable=False, server_default="0"),
    Column("probed", Boolean, nullable=False, server_default=false()),
    Column("code", String, nullable=False, server_default=""),
    comment="The pace and the circuit breaker of each channel's provider, shared by all workers.",
)

responses = Table(
    "responses",
    metadata,
    Column("message_id", NAME, primary_key=True),
    Column("response", String, primary_key=True),
    Column("target", NAME, primary_key=True),
    Column("at", TIME, nullable=False),
    CheckConstraint("response IN ('opened', 'clicked')", name="responses_response"),
    comment="Each once: that a message was opened, and which links (their hashes) were followed.",
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("part", NAME, primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("event", NAME, nullable=False),
    Column("at", TIME, nullable=False),
    Index("withdrawals_event", "event"),
    comment="Consents withdrawn by a link in a message, until the activity of that event comes back.",
)

withdrawn_runs = Table(
    "withdrawn_runs",
    metadata,
    Column("run", NAME, primary_key=True),
    Column("at", TIME, nullable=False),
    Index("withdrawn_runs_at", "at"),
    comment="Runs of campaigns of which nothing more is to be sent, whenever it is asked for.",
)

add_webhook_tables(metadata)
log_tables(metadata, "outbox")
offset_table(metadata)
dead_letter_table(metadata)
idempotency_table(metadata)
