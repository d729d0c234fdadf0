"""The lifecycle: its stages, the rules by which they change, and the course of one customer through them."""
