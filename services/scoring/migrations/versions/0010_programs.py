"""Which version of the program counts here, and what each one set going."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "scoring"


def upgrade() -> None:
    """Until the first version is taken up, the program file counts, as before."""
    op.add_column(
        "segment_revision",
        sa.Column(
            "program",
            sa.Integer,
            nullable=False,
            server_default="0",
            comment="The version of the program that counts; 0: the file that the process was started with.",
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "program_switches",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("anew", sa.String, nullable=False, comment="What had to be made anew for it."),
        schema=SCHEMA,
        comment="The versions of the program that were taken up.",
    )


def downgrade() -> None:
    """Forget them: the file counts again."""
    op.drop_table("program_switches", schema=SCHEMA)
    op.drop_column("segment_revision", "program", schema=SCHEMA)
