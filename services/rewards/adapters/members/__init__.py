"""Members in PostgreSQL: their rows locked, loaded with what a decision needs, and written with all that it changed."""
