"""Program versions move to where scoring may read them too."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
COLUMNS = "version, source, retired, origin, actor, at"


def upgrade() -> None:
    """Each version was in force from the moment it was stored."""
    op.execute(
        f"INSERT INTO platform.programs ({COLUMNS}) SELECT {COLUMNS} FROM rewards.programs"  # noqa: S608  # our own
        " ON CONFLICT DO NOTHING"
    )
    op.execute(
        "INSERT INTO platform.program_activations (version, starts_at, decided_at, actor)"
        " SELECT version, at, at, actor FROM rewards.programs"
        " WHERE NOT EXISTS (SELECT FROM platform.program_activations) ORDER BY version"
    )
    op.drop_table("programs", schema=SCHEMA)
    op.execute(f"DROP FUNCTION {SCHEMA}.programs_are_append_only()")


def downgrade() -> None:
    """Bring them back; which one was in force is forgotten, the newest counts."""
    op.create_table(
        "programs",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("retired", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("actor", sa.String),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version"),
        sa.CheckConstraint("origin IN ('file', 'api')", "programs_origin"),
        schema=SCHEMA,
    )
    op.execute(
        f"INSERT INTO rewards.programs ({COLUMNS})"  # noqa: S608  # our own
        " SELECT version, source, retired, CASE origin WHEN 'file' THEN 'file' ELSE 'api' END, actor, at"
        " FROM platform.programs"
    )
    op.execute(f"""
        CREATE FUNCTION {SCHEMA}.programs_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{SCHEMA}.programs is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
        END $$
        """)
    op.execute(f"""
        CREATE TRIGGER programs_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.programs
        FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.programs_are_append_only()
        """)
