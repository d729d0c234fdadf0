"""Occasions: what campaigns ask for that silence or a date ahead brings, and who was told of what."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEMA = "scoring"
MOMENT = sa.DateTime(timezone=True)
DAYS = "When the next birthday or anniversary begins, and how far they were told."
DAYS_AND_OCCASIONS = (
    "When the next birthday or anniversary begins, or an occasion may be due, and how far they were told."
)


def upgrade() -> None:
    """Nobody has been told of any; what was due before the program is taken up with this is not told."""
    op.add_column(
        "coming_days",
        sa.Column(
            "marks",
            sa.String,
            nullable=False,
            server_default="",
            comment="Which occasions stood when last looked at, with spaces between.",
        ),
        schema=SCHEMA,
    )
    op.create_table_comment("coming_days", DAYS_AND_OCCASIONS, existing_comment=DAYS, schema=SCHEMA)
    op.create_table(
        "occasions",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("since", MOMENT, nullable=False, comment="What was due before is not told."),
        schema=SCHEMA,
        comment="The occasions that campaigns ask for: silence and how long, renewals and how long ahead.",
    )
    op.create_table(
        "occasion_pass",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String, nullable=False, comment="Of the occasions that it is for."),
        sa.Column("after_id", sa.String(collation="C"), comment="How far it has come; null when it is done."),
        sa.CheckConstraint("id = 1", name="occasion_pass_one_row"),
        schema=SCHEMA,
    )
    op.execute(f"INSERT INTO {SCHEMA}.occasion_pass (id, digest) VALUES (1, '')")  # noqa: S608


def downgrade() -> None:
    """Forget them."""
    op.drop_table("occasion_pass", schema=SCHEMA)
    op.drop_table("occasions", schema=SCHEMA)
    op.create_table_comment("coming_days", DAYS, existing_comment=DAYS_AND_OCCASIONS, schema=SCHEMA)
    op.drop_column("coming_days", "marks", schema=SCHEMA)
