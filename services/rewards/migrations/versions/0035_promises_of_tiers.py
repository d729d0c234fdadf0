"""With when time has something to do about a tier it is kept by which promise of offers that was noted.

Until that is noted, it is nobody's: all who have a tier that brings offers are looked at once, in the background.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

SCHEMA = "rewards"


def upgrade() -> None:
    """Add it, and an index by which those are found of whom it is another one than the program's."""
    promise = sa.Column("tier_promise", sa.String(collation="C"), nullable=False, server_default="")
    op.add_column("members", promise, schema=SCHEMA)
    op.create_index(
        "members_tier_promise",
        "members",
        ["tier", "tier_promise"],
        schema=SCHEMA,
        postgresql_where=sa.text("tier IS NOT NULL"),
    )


def downgrade() -> None:
    """Forget it: what a program adds to a tier reaches its members when something else is due."""
    op.drop_index("members_tier_promise", "members", schema=SCHEMA)
    op.drop_column("members", "tier_promise", schema=SCHEMA)
