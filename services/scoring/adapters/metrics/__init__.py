"""All customers together in PostgreSQL: rollups, the sums behind the metrics, e-mails by the day."""
