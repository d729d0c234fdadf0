"""Recipients in PostgreSQL: what is known of them, and where nothing may be sent."""
