"""No statistics of what the log carries, and none of keys; few of the log's offsets."""

from shared.postgres.statistics import forgo, keep

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "platform"
CARRIED = {"log_records": ("key", "value"), "subject_keys": ("key",)}
OFFSETS = ("topic", "partition", "offset", "records", "at")


def upgrade() -> None:
    """Forgo them."""
    forgo(SCHEMA, "log_records", CARRIED["log_records"], few=OFFSETS)
    forgo(SCHEMA, "subject_keys", CARRIED["subject_keys"])


def downgrade() -> None:
    """Keep them again."""
    keep(SCHEMA, "log_records", (*CARRIED["log_records"], *OFFSETS))
    keep(SCHEMA, "subject_keys", CARRIED["subject_keys"])
