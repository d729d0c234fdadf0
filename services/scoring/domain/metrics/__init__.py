"""The metrics of a shop: what each customer contributes to them, and what the sums mean."""
