"""Who is who in PostgreSQL: identifiers, and merges with their decisions."""
