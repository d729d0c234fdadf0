"""Conditions that only compare facts with written values: asked without CEL, exactly and fast."""
