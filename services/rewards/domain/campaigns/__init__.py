"""Campaigns: from an occasion to points, offers, messages, tags, alerts and webhooks, until their goal is reached."""
