"""Webhooks over HTTP, and the loop that sends them."""
