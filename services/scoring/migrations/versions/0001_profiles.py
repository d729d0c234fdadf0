"""Profiles: the inbox, customers with their identities and merges, orders, timeline; and what the bus needs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "scoring"
ID = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)
TABLES = (
    "inbox",
    "customers",
    "identities",
    "identity_epoch",
    "merges",
    "orders",
    "timeline",
    "outbox_records",
    "outbox_heads",
    "offsets",
    "dead_letters",
)


def upgrade() -> None:
    """Make all tables."""
    _profiles()
    _identities()
    _history()
    _bus()


def downgrade() -> None:
    """Drop them all."""
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)


def _profiles() -> None:
    op.create_table(
        "inbox",
        sa.Column("event_key", sa.LargeBinary, primary_key=True),
        schema=SCHEMA,
        comment="The identity of every event ever taken in: the same event twice counts once, for ever.",
    )
    op.create_table(
        "customers",
        sa.Column("id", ID, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column(
            "stage", sa.String, nullable=False, comment="The stage that the activity stream was last told."
        ),
        sa.Column("orders", sa.Integer, nullable=False),
        sa.Column("spend", sa.Numeric, nullable=False),
        sa.Column("last_order_at", MOMENT),
        sa.Column("at_risk_at", MOMENT),
        sa.Column("lapses_at", MOMENT),
        sa.Column(
            "check_at", MOMENT, comment="Never later than the moment at which time alone changes the stage."
        ),
        sa.Column("updated_at", MOMENT, nullable=False),
        schema=SCHEMA,
        postgresql_with={"fillfactor": "70", "toast_tuple_target": "4080"},
    )
    op.create_index(
        "customers_check",
        "customers",
        ["check_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("check_at IS NOT NULL"),
    )


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("pseudonym", ID, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("linked_at", MOMENT),
        sa.Column("linked_key", sa.LargeBinary),
        schema=SCHEMA,
    )
    op.create_index("identities_customer", "identities", ["customer_id"], schema=SCHEMA)
    op.create_table(
        "identity_epoch",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="identity_epoch_one_row"),
        schema=SCHEMA,
        comment="Counts the transactions that changed whose an identifier is; what was read before may be out of date.",
    )
    op.create_table(
        "merges",
        sa.Column("loser", ID, primary_key=True),
        sa.Column("winner", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("cause", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("merges_winner", "merges", ["winner"], schema=SCHEMA)


def _history() -> None:
    op.create_table(
        "orders",
        sa.Column("customer_id", ID, primary_key=True),
        sa.Column("order_id", ID, primary_key=True),
        sa.Column("event_key", sa.LargeBinary),
        sa.Column("placed_at", MOMENT),
        sa.Column("currency", sa.String),
        sa.Column("total", sa.Numeric, nullable=False),
        sa.Column("refunded", sa.Numeric, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("refunds", sa.JSON),
        schema=SCHEMA,
    )
    op.create_table(
        "timeline",
        sa.Column("customer_id", ID, primary_key=True),
        sa.Column("at", MOMENT, primary_key=True),
        sa.Column("event_key", sa.LargeBinary, primary_key=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column(
            "record",
            sa.JSON,
            nullable=False,
            comment="The event record as it travelled; personal data is sealed in it.",
        ),
        schema=SCHEMA,
        postgresql_with={"toast_tuple_target": "8160"},
    )


def _bus() -> None:
    op.create_table(
        "outbox_records",
        sa.Column("topic", ID, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("at", MOMENT, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "outbox_heads",
        sa.Column("topic", ID, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "offsets",
        sa.Column("topic", ID, primary_key=True),
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
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("replayed_at", MOMENT),
        schema=SCHEMA,
    )
