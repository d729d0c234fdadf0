"""The program in force: whether it can be read."""
