"""E-mails by the day, and an index by which they are counted; other events are not in it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = "scoring"


def upgrade() -> None:
    op.create_table(
        "email_days",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("opened", sa.Integer, nullable=False, comment="Each message once a day."),
        sa.Column("counted_on", sa.Date, nullable=False),
        schema=SCHEMA,
        comment="E-mails of the last weeks by the day, in the program's zone.",
    )
    op.create_table(
        "email_watch",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, comment="The last day that was looked at."),
        sa.CheckConstraint("id = 1", name="email_watch_one_row"),
        schema=SCHEMA,
    )
    op.execute("INSERT INTO scoring.email_watch (id) VALUES (1)")
    op.create_index(
        "timeline_emails",
        "timeline",
        ["at"],
        schema=SCHEMA,
        postgresql_where=sa.text("type IN ('email.sent', 'email.opened', 'email.clicked')"),
    )


def downgrade() -> None:
    op.drop_index("timeline_emails", "timeline", schema=SCHEMA)
    op.drop_table("email_watch", schema=SCHEMA)
    op.drop_table("email_days", schema=SCHEMA)
