"""Recipients, the queue of messages with its attempts, and what the bus needs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "deliveries"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)
TABLES = (
    "recipients",
    "recipient_parts",
    "messages",
    "attempts",
    "suppressed",
    "outbox_records",
    "outbox_heads",
    "offsets",
    "dead_letters",
    "idempotency_keys",
)


def upgrade() -> None:
    """Make all tables."""
    _recipients()
    _messages()
    _bus()


def downgrade() -> None:
    """Drop them all."""
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)


def _recipients() -> None:
    op.create_table(
        "recipients",
        sa.Column("customer_id", NAME, primary_key=True),
        sa.Column("locale", sa.String),
        sa.Column("time_zone", sa.String),
        sa.Column("consents", sa.String, nullable=False),
        sa.Column("withdrawn", sa.String, nullable=False),
        sa.Column("tickets_angry", sa.Boolean, nullable=False),
        sa.Column("emails_unopened", sa.Integer, nullable=False),
        sa.Column("told_at", TIME),
        schema=SCHEMA,
        comment="Customers as ones who are written to. Its row is locked by whoever decides about their messages.",
    )
    op.create_table(
        "recipient_parts",
        sa.Column("part", NAME, primary_key=True),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.String),
        sa.Column("identifiers", sa.String, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        schema=SCHEMA,
        comment="Contacts, by the part of the customer that they came with, sealed under that part's own key.",
    )
    op.create_index("recipient_parts_customer", "recipient_parts", ["customer_id"], schema=SCHEMA)
    op.create_table(
        "suppressed",
        sa.Column("pseudonym", NAME, primary_key=True),
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("message_id", NAME, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        schema=SCHEMA,
        comment="Addresses that a provider said are no good, by their pseudonyms.",
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", NAME, primary_key=True),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("part", NAME, nullable=False),
        sa.Column("campaign", sa.String, nullable=False),
        sa.Column("run", NAME, nullable=False),
        sa.Column("template", sa.String, nullable=False),
        sa.Column("arm", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("cause", NAME, nullable=False),
        sa.Column("caused_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.Column("context", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("due_at", TIME),
        sa.Column("channel", sa.String),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease", sa.String),
        sa.Column("claimed_at", TIME),
        sa.Column("sent_at", TIME),
        sa.Column("contact_part", NAME),
        sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("holds", sa.String, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("settled_at", TIME),
        sa.CheckConstraint(
            "state IN ('waiting', 'held', 'sending', 'sent', 'failed', 'skipped')", name="messages_state"
        ),
        sa.CheckConstraint(
            "(due_at IS NULL) = (state IN ('sent', 'failed', 'skipped'))", name="messages_due"
        ),
        sa.CheckConstraint("(lease IS NOT NULL) = (state = 'sending')", name="messages_lease"),
        schema=SCHEMA,
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "messages_due_at",
        "messages",
        ["due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    for name, columns in (
        ("customer", ["customer_id", "created_at", "id"]),
        ("created", ["created_at", "id"]),
        ("campaign", ["campaign", "created_at", "id"]),
        ("part", ["part"]),
        ("cause", ["cause"]),
        ("run", ["run"]),
    ):
        op.create_index(f"messages_{name}", "messages", columns, schema=SCHEMA)
    op.create_table(
        "attempts",
        sa.Column("message_id", NAME, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("result", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.CheckConstraint("result IN ('sent', 'refused', 'again')", name="attempts_result"),
        schema=SCHEMA,
    )


def _bus() -> None:
    op.create_table(
        "outbox_records",
        sa.Column("topic", NAME, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("at", TIME, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "outbox_heads",
        sa.Column("topic", NAME, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "offsets",
        sa.Column("topic", NAME, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("topic", sa.String, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("replayed_at", TIME),
        schema=SCHEMA,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("idempotency_keys_created_at", "idempotency_keys", ["created_at"], schema=SCHEMA)
