"""Experiments: who of a campaign's customers is left alone or gets which variant, and what came of it.

`arms` assigns, `proportions` and `means` compare, `verdict` says whether the numbers suffice, `report` puts all of it
together.
"""
