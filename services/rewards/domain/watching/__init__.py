"""When redemptions are unusual."""
