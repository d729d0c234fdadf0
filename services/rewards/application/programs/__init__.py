"""The program in force, and what another one would have given."""
