"""The embedded PostgreSQL: its programs, its life, and how a start reaches it."""
