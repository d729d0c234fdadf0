"""The books by day: sums of entries, kept beside the ledger. Whoever adds entries leaves their sums to be added."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
KEEPER = "regulars_ledger"  # whose the entries are, and what is done with each
SERVICE = "regulars_rewards"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """A row of `unbooked` for each pair of accounts that a statement moved points between: in the transaction of the
    entries, however late it commits. What is there already is summed up when the books are first made."""
    op.create_table(
        "booked",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("debit", sa.String, primary_key=True),
        sa.Column("credit", sa.String, primary_key=True),
        sa.Column("points", sa.BigInteger, nullable=False),
        schema=SCHEMA,
        comment="Sums of entries by the day on which they were recorded, in the time zone of `booking`.",
    )
    op.create_table(
        "unbooked",
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("debit", sa.String, nullable=False),
        sa.Column("credit", sa.String, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        schema=SCHEMA,
        comment="Sums of entries that are not in `booked` yet; a trigger on entries leaves them.",
    )
    op.create_table(
        "booking",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "time_zone", sa.String, nullable=False, comment="Of the days in `booked`; empty: not made yet."
        ),
        sa.CheckConstraint("id = 1", name="booking_one_row"),
        schema=SCHEMA,
    )
    op.execute("INSERT INTO rewards.booking (id, time_zone) VALUES (1, '')")
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    op.execute(f"""
        CREATE FUNCTION {SCHEMA}.entries_await_booking() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO {SCHEMA}.unbooked (recorded_at, debit, credit, points)
            SELECT recorded_at, debit, credit, sum(points) FROM written GROUP BY recorded_at, debit, credit;
            RETURN NULL;
        END $$
        """)  # noqa: S608  # our own words
    op.execute(f"""
        CREATE TRIGGER entries_await_booking AFTER INSERT ON {SCHEMA}.entries
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.entries_await_booking()
        """)
    op.execute(f"SET LOCAL ROLE {SERVICE}")


def downgrade() -> None:
    """Forget them."""
    op.execute(f"SET LOCAL ROLE {KEEPER}")
    op.execute(f"DROP TRIGGER entries_await_booking ON {SCHEMA}.entries")
    op.execute(f"DROP FUNCTION {SCHEMA}.entries_await_booking()")
    op.execute(f"SET LOCAL ROLE {SERVICE}")
    for table in ("booking", "unbooked", "booked"):
        op.drop_table(table, schema=SCHEMA)
