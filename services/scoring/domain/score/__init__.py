"""The loyalty score: its parts, their weights, and the reasons behind a score."""
