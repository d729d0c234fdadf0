"""Points that no rule gives, and the books of all."""
