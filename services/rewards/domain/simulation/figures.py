"""What one program gave to one customer, or to many."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace


class Given(Struct, gc=False):
    """What one rule gave: points, less what refunds took back of them, in so many postings."""

    points: int = 0
    times: int = 0


class Figures(Struct, kw_only=True):
    """Points by what became of them, from the beginning of the reported time to its end; `owed` is what stands at the
    end: available and pending, less debt, also of points earned before that time.

    `short` are points that customers really spent, or had taken from them by hand, and would not have had. `offers`
    counts codes issued by the offer's id.
    """

    earned: int = 0
    reversed: int = 0
    expired: int = 0
    spent: int = 0
    short: int = 0
    adjusted: int = 0
    owed: int = 0
    rules: dict[str, Given] = {}
    offers: dict[str, int] = {}

    @property
    def points(self) -> int:
        """What the program gave: earned less taken back."""
        return self.earned - self.reversed

    def add(self, other: "Figures") -> None:
        """Add another's to these."""
        self.earned += other.earned
        self.reversed += other.reversed
        self.expired += other.expired
        self.spent += other.spent
        self.short += other.short
        self.adjusted += other.adjusted
        self.owed += other.owed
        for rule, given in other.rules.items():
            known = self.rules.setdefault(rule, Given())
            known.points += given.points
            known.times += given.times
        add_counts(self.offers, other.offers)


def add_counts(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts to counts of the same names."""
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


class CustomerResult(Struct, kw_only=True):
    """What one program gave to one customer by the end, and the tier that they then had."""

    figures: Figures
    tier: str | None


class Ending(NamedTuple):
    """How a customer ends: the figures but for codes that a tier `brought_in`, and the tier."""

    figures: Figures
    brought_in: dict[str, int]
    tier: str | None


def combined(earned: Ending, stood: Ending) -> CustomerResult:
    """The result of a customer who earned as in `earned`, with the tier of `stood` and the codes that it brought."""
    figures = earned.figures
    if stood.brought_in:
        figures = replace(figures, offers=dict(figures.offers))
        add_counts(figures.offers, stood.brought_in)
    return CustomerResult(figures=figures, tier=stood.tier)
