"""The tables of webhooks, on the metadata of schema `deliveries`."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

NAME = String(collation="C")  # ids are compared as bytes
TIME = DateTime(timezone=True)


def add_tables(metadata: MetaData) -> None:
    """Declare `webhook_endpoints`, `webhook_events`, `webhook_messages` and `webhook_attempts` on `metadata`."""
    _endpoints(metadata)
    Table(
        "webhook_events",
        metadata,
        Column("id", NAME, primary_key=True),
        Column("type", String, nullable=False),
        Column("at", TIME, nullable=False),
        Column("customer_id", NAME),
        Column("body", LargeBinary, nullable=False),
        Column("made_at", TIME, nullable=False),
        Index("webhook_events_made_at", "made_at"),
        comment="What was told, once for all endpoints, as it is signed and sent.",
    )
    Table(
        "webhook_messages",
        metadata,
        Column("endpoint_id", NAME, primary_key=True),
        Column("event_id", NAME, primary_key=True),
        Column("made_at", TIME, nullable=False),
        Column("state", String, nullable=False),
        Column("due_at", TIME, comment="While one tries, when the others may."),
        Column("attempts", Integer, nullable=False, comment="Ever."),
        Column("tries", Integer, nullable=False, comment="Since it was last put in the queue."),
        Column("status", Integer, comment="Of the last answer."),
        Column("error", String, comment="Of the last try, when it got none."),
        Column("settled_at", TIME),
        CheckConstraint("state IN ('waiting', 'delivered', 'failed', 'held')", name="webhook_messages_state"),
        CheckConstraint("(due_at IS NOT NULL) = (state = 'waiting')", name="webhook_messages_due"),
        Index(
            "webhook_messages_due_at", "endpoint_id", "due_at", postgresql_where=text("due_at IS NOT NULL")
        ),
        Index("webhook_messages_made_at", "endpoint_id", "made_at", "event_id"),
        Index("webhook_messages_event", "event_id"),
        postgresql_with={"fillfactor": "80"},
        comment="An event on its way to one endpoint.",
    )
    Table(
        "webhook_attempts",
        metadata,
        Column("endpoint_id", NAME, primary_key=True),
        Column("event_id", NAME, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("at", TIME, nullable=False),
        Column("took_ms", Integer, nullable=False),
        Column("status", Integer),
        Column("error", String),
        Column("excerpt", String, nullable=False, comment="The beginning of the answer."),
    )


def _endpoints(metadata: MetaData) -> None:
    Table(
        "webhook_endpoints",
        metadata,
        Column("id", NAME, primary_key=True),
        Column("url", String, comment="Null: a listener, which fetches what there is."),
        Column("name", NAME, comment="By which campaigns call it."),
        Column("description", String, nullable=False),
        Column("events", ARRAY(String), nullable=False),
        Column("secret", LargeBinary, nullable=False, comment="Sealed."),
        Column("previous_secret", LargeBinary, comment="Sealed; signed with as well until previous_until."),
        Column("previous_until", TIME),
        Column("disabled_at", TIME),
        Column("reason", String, comment="Why it is disabled: by_hand, failing, gone."),
        Column("failing_since", TIME, comment="The first failure after the last success."),
        Column("created_at", TIME, nullable=False),
        Column("created_by", String, nullable=False),
        Column("seen_at", TIME, comment="When a listener last asked."),
        Column("deleted_at", TIME),
        CheckConstraint("(disabled_at IS NULL) = (reason IS NULL)", name="webhook_endpoints_disabled"),
        CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name="webhook_endpoints_previous"
        ),
        Index(
            "webhook_endpoints_name",
            "name",
            unique=True,
            postgresql_where=text("name IS NOT NULL AND deleted_at IS NULL"),
        ),
    )
