"""Values that a program is written in: periods and days of its time zone, currencies, and their words."""
