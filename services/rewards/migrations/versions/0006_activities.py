"""The activities themselves, by month, in place of the facts of those that led to anything."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
NAME = sa.String(collation="C")
TIME = sa.DateTime(timezone=True)
BATCH_MAX = 10_000  # each batch gets so many numbers of its own
LOCK = 0x61637469  # "acti": one new month at a time

_ADD_MONTH = f"""
    CREATE FUNCTION {SCHEMA}.add_activity_month(moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE
        starts timestamptz := date_trunc('month', moment, 'UTC');
        ends timestamptz := date_trunc('month', starts + interval '32 days', 'UTC');
        month text := 'activities_' || to_char(starts AT TIME ZONE 'UTC', 'YYYY_MM');
    BEGIN
        IF to_regclass('{SCHEMA}.' || month) IS NOT NULL THEN
            RETURN false;
        END IF;
        PERFORM pg_advisory_xact_lock({LOCK});
        IF to_regclass('{SCHEMA}.' || month) IS NOT NULL THEN
            RETURN false;
        END IF;
        EXECUTE format('CREATE TABLE {SCHEMA}.%I (LIKE {SCHEMA}.activities INCLUDING ALL)'
            ' WITH (toast_tuple_target = 8160)', month);
        EXECUTE format('ALTER TABLE {SCHEMA}.activities ATTACH PARTITION {SCHEMA}.%I FOR VALUES FROM (%L) TO (%L)',
            month, starts, ends);
        RETURN true;
    END $$
    """
_DROP_MONTHS = f"""
    CREATE FUNCTION {SCHEMA}.drop_activity_months(before timestamptz) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DECLARE
        month text;
        dropped integer := 0;
    BEGIN
        FOR month IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = '{SCHEMA}.activities'::regclass
                AND c.relname < 'activities_' || to_char(before AT TIME ZONE 'UTC', 'YYYY_MM')
            ORDER BY c.relname
        LOOP
            EXECUTE format('DROP TABLE {SCHEMA}.%I', month);
            dropped := dropped + 1;
        END LOOP;
        RETURN dropped;
    END $$
    """  # noqa: S608  # the schema is our own


def upgrade() -> None:
    """Causes taken before keep their identity only: what else they had was not enough to decide with again."""
    op.create_table(
        "activities",
        sa.Column("customer_id", NAME, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.Column("parting", sa.Boolean, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "number", "taken_at"),
        schema=SCHEMA,
        postgresql_partition_by="RANGE (taken_at)",
    )
    op.create_index(
        "activities_parting", "activities", ["number"], schema=SCHEMA, postgresql_where=sa.text("parting")
    )
    op.execute(_ADD_MONTH)
    op.execute(_DROP_MONTHS)
    for column in ("type", "source", "event_id", "at", "facts"):
        op.drop_column("inbox", column, schema=SCHEMA)
    op.add_column("inbox", sa.Column("taken_at", TIME), schema=SCHEMA)
    op.add_column("inbox", sa.Column("number", sa.BigInteger), schema=SCHEMA)
    op.execute(f"CREATE SEQUENCE {SCHEMA}.activity_numbers INCREMENT BY {BATCH_MAX}")


def downgrade() -> None:
    """Bring the columns back, empty."""
    op.execute(f"DROP SEQUENCE {SCHEMA}.activity_numbers")
    op.drop_column("inbox", "number", schema=SCHEMA)
    op.drop_column("inbox", "taken_at", schema=SCHEMA)
    for column, kind in (("type", sa.String), ("source", sa.String), ("event_id", sa.String)):
        op.add_column("inbox", sa.Column(column, kind), schema=SCHEMA)
    op.add_column("inbox", sa.Column("at", TIME), schema=SCHEMA)
    op.add_column("inbox", sa.Column("facts", sa.LargeBinary), schema=SCHEMA)
    op.execute(f"DROP FUNCTION {SCHEMA}.drop_activity_months(timestamptz)")
    op.execute(f"DROP FUNCTION {SCHEMA}.add_activity_month(timestamptz)")
    op.drop_table("activities", schema=SCHEMA)
