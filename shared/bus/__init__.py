"""The bus: streams of records between services, on Kafka or on PostgreSQL alone, behind one interface."""
