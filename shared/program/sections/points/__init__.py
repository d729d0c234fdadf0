"""The section `points`: earn rules, expiry, what points are worth."""
