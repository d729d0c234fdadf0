"""Texts read as they are taken in, and the engines of sentiment."""
