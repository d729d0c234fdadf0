"""Real Apache Kafka for tests (fixture `kafka`)."""
