"""Tiers over HTTP: how a customer stands, and tiers given by hand."""
