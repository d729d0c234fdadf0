"""Customers in PostgreSQL: their states and orders, and their profiles as the API reads them."""
