"""What time does while no event comes: stages, days that come round, occasions, windows of facts and segments."""
