"""Spending at the checkout: points, rewards of the catalogue and offer codes, and why each is refused."""
