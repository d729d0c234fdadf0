"""Explaining: the sentences that tell why a customer got points, a tier or an offer, or did not."""
