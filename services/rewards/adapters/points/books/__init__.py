"""The books in PostgreSQL: points by day for all customers together, the statement of one."""
