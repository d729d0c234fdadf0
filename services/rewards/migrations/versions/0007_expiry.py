"""Points that activity lets last, and the notice before they expire."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "rewards"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Columns with constant defaults, which rewrite no row; the index of what expires tells who was told of it."""
    for column in ("renewed_since", "renewed_until"):
        op.add_column("members", sa.Column(column, TIME), schema=SCHEMA)
    for column in ("renewable", "noticed"):
        op.add_column(
            "lots",
            sa.Column(column, sa.Boolean, nullable=False, server_default=sa.false()),
            schema=SCHEMA,
        )
    _index("noticed", "expires_at")


def _index(*columns: str) -> None:
    op.drop_index("lots_expires_at", "lots", schema=SCHEMA)
    op.create_index(
        "lots_expires_at",
        "lots",
        list(columns),
        schema=SCHEMA,
        postgresql_where=sa.text("remaining > 0"),
    )


def downgrade() -> None:
    """Drop them."""
    _index("expires_at")
    for column in ("renewable", "noticed"):
        op.drop_column("lots", column, schema=SCHEMA)
    for column in ("renewed_since", "renewed_until"):
        op.drop_column("members", column, schema=SCHEMA)
