"""The parts of the loyalty score: each a small pure function of what is known, giving 0 to 100, or None.

None says that nothing is known: no review was ever posted, say. Such a part counts neither for nor against anybody.
`part` says what a part is, `catalogue` lists all of them, `weighing` weighs them to a whole.
"""
