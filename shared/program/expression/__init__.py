"""Conditions as an author writes them: tokens, syntax, the types of what they name, and whether they can hold."""
