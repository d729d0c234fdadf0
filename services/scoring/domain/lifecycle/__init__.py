"""The lifecycle: its stages, and the rules by which they change."""
