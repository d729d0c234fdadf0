"""What time does while no event comes: days that come round, and occasions."""
