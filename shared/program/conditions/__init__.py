"""Conditions and formulas in CEL: read (`syntax`), checked (`checking`) and asked; most without CEL (`plain`)."""
