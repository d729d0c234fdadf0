"""Orders as they are remembered: what they were made of, what they earned, what was refunded of them."""
