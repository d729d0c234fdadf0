"""The section `campaigns`, with who takes part and what may not go in circles."""
