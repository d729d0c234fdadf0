"""Messages in PostgreSQL: queued, claimed, shown, answered, forgotten."""
