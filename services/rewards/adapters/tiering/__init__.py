"""Tiers in PostgreSQL: what counts, what was granted, what was kept of how members stood."""
