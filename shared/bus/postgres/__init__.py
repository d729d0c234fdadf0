"""The bus on PostgreSQL alone: nothing to install, and the same behaviour."""
