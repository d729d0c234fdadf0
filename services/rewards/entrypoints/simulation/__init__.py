"""Simulations: asked for over HTTP, played in processes of their own."""
