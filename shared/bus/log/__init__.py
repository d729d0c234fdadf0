"""A log in PostgreSQL, and what rests on it: the bus where there is no Kafka; the outbox, and the spool of ingest."""
