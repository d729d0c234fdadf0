"""Program versions and their activations, where every service may read them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "platform"
MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Make both tables. Rewards writes them; scoring follows what is in force."""
    op.create_table(
        "programs",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("retired", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("origin IN ('file', 'api', 'command')", name="programs_origin"),
        schema=SCHEMA,
    )
    op.create_table(
        "program_activations",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("version", sa.Integer, sa.ForeignKey(f"{SCHEMA}.programs.version"), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text),
        sa.Column("cancelled_at", MOMENT),
        sa.Column("cancelled_by", sa.Text),
        sa.CheckConstraint("cancelled_at < starts_at", name="program_activations_cancelled_before_start"),
        schema=SCHEMA,
    )
    op.create_index(
        "program_activations_starts_at", "program_activations", ["starts_at", "id"], schema=SCHEMA
    )
    _forbid_changes()
    op.execute(f"GRANT SELECT ON {SCHEMA}.programs, {SCHEMA}.program_activations TO regulars_scoring")
    op.execute(f"GRANT SELECT, INSERT ON {SCHEMA}.programs, {SCHEMA}.program_activations TO regulars_rewards")
    op.execute(
        f"GRANT UPDATE (cancelled_at, cancelled_by) ON {SCHEMA}.program_activations TO regulars_rewards"
    )


def _forbid_changes() -> None:
    """A version stays as it is for ever; of an activation it can be noted, once, that it was cancelled."""
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.programs_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{SCHEMA}.% is append-only: % refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    op.execute(
        f"""
        CREATE FUNCTION {SCHEMA}.activations_are_cancelled_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.cancelled_at IS NOT NULL OR NEW.cancelled_at IS NULL
                OR (NEW.id, NEW.version, NEW.starts_at, NEW.decided_at, NEW.actor)
                    IS DISTINCT FROM (OLD.id, OLD.version, OLD.starts_at, OLD.decided_at, OLD.actor) THEN
                RAISE EXCEPTION 'an activation can be cancelled once, and else is append-only'
                    USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table, events in (
        ("programs", "UPDATE OR DELETE OR TRUNCATE"),
        ("program_activations", "DELETE OR TRUNCATE"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_are_append_only BEFORE {events} ON {SCHEMA}.{table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.programs_are_append_only()"
        )
    op.execute(
        f"CREATE TRIGGER activations_are_cancelled_once BEFORE UPDATE ON {SCHEMA}.program_activations"
        f" FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.activations_are_cancelled_once()"
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("program_activations", schema=SCHEMA)
    op.drop_table("programs", schema=SCHEMA)
    op.execute(f"DROP FUNCTION {SCHEMA}.activations_are_cancelled_once()")
    op.execute(f"DROP FUNCTION {SCHEMA}.programs_are_append_only()")
