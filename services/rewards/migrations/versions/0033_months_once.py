"""Two workers that take the first records of a month at once make its table once: whoever waited for the other sees it.

`to_regclass` (see 0006) answers what it has answered before in a transaction, though the table has come meanwhile.
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
LOCK = 0x61637469  # as in 0006

_ADD_MONTH = f"""
    CREATE OR REPLACE FUNCTION {SCHEMA}.add_activity_month(moment timestamptz) RETURNS boolean
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
        IF EXISTS (SELECT FROM pg_class WHERE relnamespace = '{SCHEMA}'::regnamespace AND relname = month) THEN
            RETURN false;
        END IF;
        EXECUTE format('CREATE TABLE {SCHEMA}.%I (LIKE {SCHEMA}.activities INCLUDING ALL)'
            ' WITH (toast_tuple_target = 8160)', month);
        EXECUTE format('ALTER TABLE {SCHEMA}.activities ATTACH PARTITION {SCHEMA}.%I FOR VALUES FROM (%L) TO (%L)',
            month, starts, ends);
        RETURN true;
    END $$
    """  # noqa: S608


def upgrade() -> None:
    """Look for the table anew."""
    op.execute(_ADD_MONTH)


def downgrade() -> None:
    """Nothing: it does what it did, but for two at once."""
