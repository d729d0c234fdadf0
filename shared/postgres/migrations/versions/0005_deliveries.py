"""What the service `deliveries` may do with what the services share: read and write the log, read keys and programs."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "platform"
ROLE = "regulars_deliveries"
GRANTS = (
    ("SELECT, INSERT, UPDATE, DELETE", ("log_records", "log_heads", "log_members", "log_positions")),
    ("SELECT, INSERT", ("subject_keys", "secret_check")),
    ("SELECT, UPDATE (last_used_at)", ("api_keys",)),
    ("SELECT", ("programs", "program_activations")),
)


def upgrade() -> None:
    """Grant it to the service's role."""
    op.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {ROLE}")
    for rights, tables in GRANTS:
        for table in tables:
            op.execute(f"GRANT {rights} ON {SCHEMA}.{table} TO {ROLE}")


def downgrade() -> None:
    """Take it back."""
    for _, tables in GRANTS:
        for table in tables:
            op.execute(f"REVOKE ALL ON {SCHEMA}.{table} FROM {ROLE}")
    op.execute(f"REVOKE USAGE ON SCHEMA {SCHEMA} FROM {ROLE}")
