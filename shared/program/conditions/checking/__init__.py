"""Whether a condition means something: its names and types, and whether it can hold at all. What comes of it is CEL."""
