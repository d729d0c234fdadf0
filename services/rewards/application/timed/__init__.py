"""What time alone makes due, and what is watched from time to time."""
