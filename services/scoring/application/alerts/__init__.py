"""Work on alerts: taking one on, and closing it."""
