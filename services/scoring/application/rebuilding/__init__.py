"""Customers are folded anew: when another program counts, when the code has changed, when events come late."""
