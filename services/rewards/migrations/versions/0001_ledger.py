"""Members, their points, and why they have them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")  # ids are compared as bytes
TIME = sa.DateTime(timezone=True)
TABLES = (
    "members",
    "entries",
    "lots",
    "purchases",
    "rule_uses",
    "milestones",
    "tier_history",
    "inbox",
    "aliases",
)


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("available", sa.BigInteger, nullable=False),
        sa.Column("pending", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("debt", sa.BigInteger, nullable=False),
        sa.Column("lifetime_earned", sa.BigInteger, nullable=False),
        sa.Column("tier", sa.String),
        sa.Column("tier_since", TIME),
        sa.Column("tier_until", TIME),
        sa.Column("tier_spend", sa.Numeric, nullable=False),
        sa.Column("tier_changes", sa.Integer, nullable=False),
        sa.Column("spend", sa.Numeric, nullable=False),
        sa.Column("spend_since", TIME),
        sa.Column("merged_into", NAME),
        sa.PrimaryKeyConstraint("customer_id"),
        sa.CheckConstraint("available >= 0", "members_available"),
        sa.CheckConstraint("debt >= 0", "members_debt"),
        sa.CheckConstraint("debt = 0 OR available = 0", "members_debt_is_paid_first"),
        sa.CheckConstraint("lifetime_earned >= 0", "members_lifetime_earned"),
        sa.CheckConstraint("pending >= 0", "members_pending"),
        sa.CheckConstraint("reserved >= 0", "members_reserved"),
        schema=SCHEMA,
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "members_merged_into",
        "members",
        ["merged_into"],
        schema=SCHEMA,
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(
        "members_tier_until",
        "members",
        ["tier_until"],
        schema=SCHEMA,
        postgresql_where=sa.text("tier_until IS NOT NULL"),
    )
    op.create_table(
        "entries",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("debit", sa.String, nullable=False),
        sa.Column("credit", sa.String, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("lot", sa.BigInteger),
        sa.Column("rule", sa.String),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "number"),
        sa.CheckConstraint("debit <> credit", "entries_accounts"),
        sa.UniqueConstraint("customer_id", "key", name="entries_business_key"),
        sa.CheckConstraint("points > 0", "entries_points"),
        schema=SCHEMA,
    )
    op.create_table(
        "lots",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("lot", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("expires_at", TIME),
        sa.Column("available_at", TIME),
        sa.Column("pending", sa.Boolean, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("remaining", sa.BigInteger, nullable=False),
        sa.Column("expired", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "lot"),
        sa.CheckConstraint("NOT pending OR available_at IS NOT NULL", "lots_pending"),
        sa.CheckConstraint(
            "remaining >= 0 AND expired >= 0 AND remaining + expired <= points", "lots_remaining"
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "lots_available_at",
        "lots",
        ["available_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("pending AND remaining > 0"),
    )
    op.create_index(
        "lots_expires_at",
        "lots",
        ["expires_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("remaining > 0"),
    )
    op.create_table(
        "purchases",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("order_id", NAME, nullable=False),
        sa.Column("placed_at", TIME),
        sa.Column("currency", sa.String),
        sa.Column("total", sa.Numeric, nullable=False),
        sa.Column("net", sa.Numeric, nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("lot", sa.BigInteger),
        sa.Column("grants", sa.String),
        sa.Column("refunds", sa.String),
        sa.PrimaryKeyConstraint("customer_id", "order_id"),
        sa.CheckConstraint("net >= 0 AND net <= total", "purchases_net"),
        schema=SCHEMA,
    )
    op.create_index("purchases_placed_at", "purchases", ["customer_id", "placed_at"], schema=SCHEMA)
    op.create_table(
        "rule_uses",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("rule", NAME, nullable=False),
        sa.Column("cause", NAME, nullable=False),
        sa.Column("scope", sa.String, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "rule", "cause"),
        schema=SCHEMA,
    )
    op.create_table(
        "milestones",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("milestone", NAME, nullable=False),
        sa.Column("occasion", NAME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "milestone", "occasion"),
        schema=SCHEMA,
    )
    op.create_table(
        "tier_history",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("old", sa.String),
        sa.Column("new", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("spend", sa.Numeric, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("program_version", sa.Integer, nullable=False),
        sa.Column("until", TIME),
        sa.PrimaryKeyConstraint("customer_id", "number"),
        schema=SCHEMA,
    )
    op.create_table(
        "inbox",
        sa.Column("id", NAME, nullable=False),
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("type", sa.String),
        sa.Column("source", sa.String),
        sa.Column("event_id", sa.String),
        sa.Column("at", TIME),
        sa.Column("facts", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id"),
        schema=SCHEMA,
    )
    op.create_table(
        "aliases",
        sa.Column("pseudonym", NAME, nullable=False),
        sa.Column("customer_id", NAME, nullable=False),
        sa.PrimaryKeyConstraint("pseudonym"),
        schema=SCHEMA,
    )
    op.create_index("aliases_customer", "aliases", ["customer_id"], schema=SCHEMA)
    _forbid_changes("entries")


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
    op.execute(f"DROP FUNCTION {SCHEMA}.entries_are_append_only()")
