"""Campaigns over HTTP: what they are, how they run, what they bring."""
