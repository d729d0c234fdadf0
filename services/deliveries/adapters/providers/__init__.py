"""Providers of e-mail, SMS and push: how each is asked, and what is remembered of it."""
