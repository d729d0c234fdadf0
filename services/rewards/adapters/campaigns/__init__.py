"""Campaigns in PostgreSQL: runs, messages asked for, figures."""
