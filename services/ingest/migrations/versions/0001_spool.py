"""The spool: a log in which events wait while Kafka is away."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "ingest"
TOPIC = sa.String(collation="C")


def upgrade() -> None:
    op.create_table(
        "spool_records",
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
        "spool_heads",
        sa.Column("topic", TOPIC, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("spool_heads", schema=SCHEMA)
    op.drop_table("spool_records", schema=SCHEMA)
