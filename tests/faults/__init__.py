"""Real processes under load, killed with SIGKILL at seeded moments, healed, and then counted.

`make faults ROUNDS=100` runs many rounds; `tests/faults/test_faults.py` a short one on either bus.
"""
