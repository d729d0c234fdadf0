"""What a tier has brought is kept with the period by which it came, which a later program may change.

Of what came before this nobody knows it: it is taken to be what the program says when the member is looked at next.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

SCHEMA = "rewards"


def upgrade() -> None:
    """Add it, and an index by which those are found who had it by another period than the program says."""
    op.add_column("tier_benefits", sa.Column("every", sa.String(collation="C")), schema=SCHEMA)
    op.create_index("tier_benefits_every", "tier_benefits", ["tier", "offer", "every"], schema=SCHEMA)


def downgrade() -> None:
    """Forget it: what was counted anew goes on from there, by whatever the program says."""
    op.drop_index("tier_benefits_every", "tier_benefits", schema=SCHEMA)
    op.drop_column("tier_benefits", "every", schema=SCHEMA)
