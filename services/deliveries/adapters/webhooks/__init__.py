"""Webhooks: their tables, and the client that cannot be led into the inside of the network."""
