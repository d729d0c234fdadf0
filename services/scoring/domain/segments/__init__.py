"""Segments: who enters and leaves them, and how customers compare with each other."""
