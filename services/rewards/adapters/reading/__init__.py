"""Queries that only read: what a customer has, and sums over all members."""
