"""Endpoints of webhooks, what is told to them, and every attempt."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "deliveries"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)
TABLES = ("webhook_endpoints", "webhook_events", "webhook_messages", "webhook_attempts")


def upgrade() -> None:
    """Make all tables."""
    _endpoints()
    _events()
    _messages()


def downgrade() -> None:
    """Drop them all."""
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("url", sa.String, comment="Null: a listener, which fetches what there is."),
        sa.Column("name", NAME, comment="By which campaigns call it."),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("events", ARRAY(sa.String), nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False, comment="Sealed."),
        sa.Column(
            "previous_secret", sa.LargeBinary, comment="Sealed; signed with as well until previous_until."
        ),
        sa.Column("previous_until", TIME),
        sa.Column("disabled_at", TIME),
        sa.Column("reason", sa.String, comment="Why it is disabled: by_hand, failing, gone."),
        sa.Column("failing_since", TIME, comment="The first failure after the last success."),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("seen_at", TIME, comment="When a listener last asked."),
        sa.Column("deleted_at", TIME),
        sa.CheckConstraint("(disabled_at IS NULL) = (reason IS NULL)", name="webhook_endpoints_disabled"),
        sa.CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name="webhook_endpoints_previous"
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "webhook_endpoints_name",
        "webhook_endpoints",
        ["name"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("name IS NOT NULL AND deleted_at IS NULL"),
    )


def _events() -> None:
    op.create_table(
        "webhook_events",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("customer_id", NAME),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        schema=SCHEMA,
        comment="What was told, once for all endpoints, as it is signed and sent.",
    )
    op.create_index("webhook_events_made_at", "webhook_events", ["made_at"], schema=SCHEMA)


def _messages() -> None:
    op.create_table(
        "webhook_messages",
        sa.Column("endpoint_id", NAME, primary_key=True),
        sa.Column("event_id", NAME, primary_key=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("due_at", TIME, comment="While one tries, when the others may."),
        sa.Column("attempts", sa.Integer, nullable=False, comment="Ever."),
        sa.Column("tries", sa.Integer, nullable=False, comment="Since it was last put in the queue."),
        sa.Column("status", sa.Integer, comment="Of the last answer."),
        sa.Column("error", sa.String, comment="Of the last try, when it got none."),
        sa.Column("settled_at", TIME),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'held')", name="webhook_messages_state"
        ),
        sa.CheckConstraint("(due_at IS NOT NULL) = (state = 'waiting')", name="webhook_messages_due"),
        schema=SCHEMA,
        comment="An event on its way to one endpoint.",
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "webhook_messages_due_at",
        "webhook_messages",
        ["endpoint_id", "due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "webhook_messages_made_at", "webhook_messages", ["endpoint_id", "made_at", "event_id"], schema=SCHEMA
    )
    op.create_index("webhook_messages_event", "webhook_messages", ["event_id"], schema=SCHEMA)
    op.create_table(
        "webhook_attempts",
        sa.Column("endpoint_id", NAME, primary_key=True),
        sa.Column("event_id", NAME, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("took_ms", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String),
        sa.Column("excerpt", sa.String, nullable=False, comment="The beginning of the answer."),
        schema=SCHEMA,
    )
