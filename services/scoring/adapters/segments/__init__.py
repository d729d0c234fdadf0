"""Segments in PostgreSQL: their rules as SQL, who is in them, and previews."""
