"""Points that a rule may give to all customers together."""

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """What is left of a rule's points for all customers together, in this transaction, and what was given of it."""

    left: int
    given: int = 0

    def take(self, points: int) -> None:
        """Give so many."""
        assert 0 <= points <= self.left, "a budget is never exceeded"
        self.left -= points
        self.given += points
