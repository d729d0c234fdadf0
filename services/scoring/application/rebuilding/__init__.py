"""Customers are folded anew: when another program counts, or the code has changed."""
