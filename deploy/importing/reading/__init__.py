"""What a file of history says: its lines, its orders, its events."""
