"""Program versions, and what connects the service to the streams."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")  # ids are compared as bytes
TIME = sa.DateTime(timezone=True)
TABLES = (
    "programs",
    "outbox_records",
    "outbox_heads",
    "offsets",
    "dead_letters",
    "idempotency_keys",
)


def upgrade() -> None:
    op.create_table(
        "programs",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("retired", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("actor", sa.String),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("version"),
        sa.CheckConstraint("origin IN ('file', 'api')", "programs_origin"),
        schema=SCHEMA,
    )
    op.create_table(
        "outbox_records",
        sa.Column("topic", NAME, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("offset", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("at", TIME, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("topic", "partition", "offset"),
        schema=SCHEMA,
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "outbox_heads",
        sa.Column("topic", NAME, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
        schema=SCHEMA,
    )
    op.create_table(
        "offsets",
        sa.Column("topic", NAME, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
        schema=SCHEMA,
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("topic", sa.String, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("replayed_at", TIME),
        sa.PrimaryKeyConstraint("id"),
        schema=SCHEMA,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key"),
        schema=SCHEMA,
    )
    op.create_index("idempotency_keys_created_at", "idempotency_keys", ["created_at"], schema=SCHEMA)
    _forbid_changes("programs")


def _forbid_changes(table: str) -> None:
    """What is written there stays as it is: a correction is a new row."""
    op.execute(f"""
        CREATE FUNCTION {SCHEMA}.{table}_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{SCHEMA}.{table} is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
        END $$
        """)
    op.execute(f"""
        CREATE TRIGGER {table}_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.{table}
        FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.{table}_are_append_only()
        """)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)
    op.execute(f"DROP FUNCTION {SCHEMA}.programs_are_append_only()")
