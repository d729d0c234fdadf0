"""The history as simulations read it."""
