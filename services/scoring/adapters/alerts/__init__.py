"""Alerts in PostgreSQL, and the notes on them."""
