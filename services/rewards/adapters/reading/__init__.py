"""Queries that only read: what a customer has, how it came about, and sums over all members."""
