"""Tiers in PostgreSQL: what counts, what was granted, how members stood."""
