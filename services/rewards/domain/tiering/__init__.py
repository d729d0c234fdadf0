"""Tiers: what counts towards them, the tier it amounts to, and the benefits that a tier brings.

`counting` says what counts, `standing` works out the tier, `tiers` applies it to a member, `tier_time` does what time
alone makes due.
"""
