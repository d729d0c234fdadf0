"""Whom messages go to: what is known of them, and what they answer."""
