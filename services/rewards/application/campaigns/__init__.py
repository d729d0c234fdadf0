"""Campaigns: begun, gone on with when their runs are due, forgotten."""
