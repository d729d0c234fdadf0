"""Conditions as an author writes them: tokens, the tree that they make, and that tree as text again."""
