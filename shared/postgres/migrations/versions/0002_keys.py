"""Subject keys, API keys, and the check that a process was started with the right secret."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SERVICES = "regulars_ingest, regulars_scoring, regulars_rewards"
MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make the three tables and let each service do with them what it needs, no more."""
    op.create_table(
        "subject_keys",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("destroyed_at", MOMENT),
        sa.CheckConstraint("(key IS NULL) = (destroyed_at IS NOT NULL)", name="subject_keys_destroyed"),
        schema="platform",
    )
    op.create_table(
        "secret_check",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("id = 1", name="secret_check_one_row"),
        schema="platform",
    )
    op.create_table(
        "api_keys",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.Column("last_used_at", MOMENT),
        schema="platform",
    )
    op.execute(
        """
        CREATE FUNCTION platform.keep_destroyed_keys_destroyed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.destroyed_at IS NOT NULL THEN
                RAISE EXCEPTION 'the key of an erased subject stays destroyed'
                    USING ERRCODE = 'check_violation';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER keep_destroyed BEFORE UPDATE OR DELETE ON platform.subject_keys"
        " FOR EACH ROW EXECUTE FUNCTION platform.keep_destroyed_keys_destroyed()"
    )
    op.execute(f"GRANT USAGE ON SCHEMA platform TO {SERVICES}")
    op.execute(f"GRANT SELECT, INSERT ON platform.subject_keys TO {SERVICES}")
    op.execute("GRANT UPDATE (key, destroyed_at) ON platform.subject_keys TO regulars_scoring")  # erasure
    op.execute(f"GRANT SELECT, INSERT ON platform.secret_check TO {SERVICES}")
    op.execute(f"GRANT SELECT, UPDATE (last_used_at) ON platform.api_keys TO {SERVICES}")


def downgrade() -> None:
    """Drop them again; what was sealed under the keys is lost with them."""
    op.drop_table("api_keys", schema="platform")
    op.drop_table("secret_check", schema="platform")
    op.drop_table("subject_keys", schema="platform")
    op.execute("DROP FUNCTION platform.keep_destroyed_keys_destroyed()")
