"""The log: the bus on PostgreSQL."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "platform"
SERVICES = "regulars_ingest, regulars_scoring, regulars_rewards"
TOPIC = sa.String(collation="C")


def upgrade() -> None:
    op.create_table(
        "log_records",
        sa.Column("topic", TOPIC, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("offset", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("topic", "partition", "offset"),
        schema=SCHEMA,
        postgresql_with={"toast_tuple_target": "8160"},
    )
    op.create_table(
        "log_heads",
        sa.Column("topic", TOPIC, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
        schema=SCHEMA,
    )
    op.create_table(
        "log_members",
        sa.Column("group_name", TOPIC, nullable=False),
        sa.Column("topic", TOPIC, nullable=False),
        sa.Column("member", TOPIC, nullable=False),
        sa.Column("backend", sa.Integer, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "topic", "member"),
        schema=SCHEMA,
    )
    op.create_table(
        "log_positions",
        sa.Column("group_name", TOPIC, nullable=False),
        sa.Column("topic", TOPIC, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "topic", "partition"),
        schema=SCHEMA,
    )
    op.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {SERVICES}")
    for table in ("log_records", "log_heads", "log_members", "log_positions"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.{table} TO {SERVICES}")


def downgrade() -> None:
    for table in ("log_positions", "log_members", "log_heads", "log_records"):
        op.drop_table(table, schema=SCHEMA)
    op.execute(f"REVOKE USAGE ON SCHEMA {SCHEMA} FROM {SERVICES}")
