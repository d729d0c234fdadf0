"""What nothing reads is written no longer: who went where is told by the records, whose part is whose by its name."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SCHEMA = "rewards"


def upgrade() -> None:
    op.drop_index("activities_parting", "activities", schema=SCHEMA)
    op.drop_column("activities", "parting", schema=SCHEMA)
    op.drop_index("parts_epoch", "parts", schema=SCHEMA)


def downgrade() -> None:
    """Bring the column back, saying no of all: it had no reader."""
    op.create_index("parts_epoch", "parts", ["epoch"], schema=SCHEMA)
    op.add_column(
        "activities",
        sa.Column("parting", sa.Boolean, nullable=False, server_default=sa.false()),
        schema=SCHEMA,
    )
    op.alter_column("activities", "parting", server_default=None, schema=SCHEMA)
    op.create_index(
        "activities_parting", "activities", ["number"], schema=SCHEMA, postgresql_where=sa.text("parting")
    )
