"""Tiers as frozen types: what counts towards them, how long they are kept, what they bring."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Literal

from shared.program.values.period import Period


class Measure(StrEnum):
    """What is counted: money that was paid less what was refunded, points that rules and milestones gave less those
    taken back, or orders that stand."""

    SPEND = "spend"
    POINTS = "points"
    ORDERS = "orders"


Year = Literal["calendar_year", "anniversary_year"]
"""`anniversary_year` begins on each anniversary of the day on which the customer joined."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What counts towards tiers: the `measure` over a rolling period (`over`) or within a year (`year`); exactly one of
    the two is set."""

    measure: Measure
    over: Period | None = None
    year: Year | None = None


@dataclass(frozen=True, slots=True)
class Benefit:
    """Either an offer issued `every` period, or a named perk."""

    perk: str | None = None
    offer: str | None = None
    every: Period | None = None


@dataclass(frozen=True, slots=True)
class TierLevel:
    """A tier, reached `at` so much of the measure or more; the first level has `at` 0. Kept for `keep_for` (None: for
    good), counted from when it was reached, or, where a year counts, from that year's end. `recurring` are the offers
    that it brings again and again, each with its period; `promise` is a short name of which offers these are."""

    id: str
    name: str
    at: Decimal
    keep_for: Period | None
    benefits: tuple[Benefit, ...] = ()
    recurring: tuple[tuple[str, Period], ...] = field(init=False, repr=False, compare=False)
    promise: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = [(one.offer, one.every) for one in self.benefits if one.offer is not None]
        recurring = tuple([(offer, every) for offer, every in found if every is not None])
        object.__setattr__(self, "recurring", recurring)
        said = " ".join((self.id, *sorted(offer for offer, _ in recurring)))
        object.__setattr__(self, "promise", blake2b(said.encode(), digest_size=8).hexdigest())


@dataclass(frozen=True, slots=True)
class Tiers:
    """Levels in ascending order. Whoever no longer reaches their level when its time is over keeps it for `grace`, and
    then falls: to what they reach (`earned`), or by one level (`one_step`). They hear of it `notice_before`.

    `places` are those of the levels, by their ids. `rolls`: the money of a rolling period, or of the calendar's year,
    is what counts: one sum, that is kept.
    """

    basis: Basis
    levels: tuple[TierLevel, ...]
    grace: Period | None = None
    downgrade: Literal["earned", "one_step"] = "earned"
    notice_before: Period | None = None
    places: Mapping[str, int] = field(init=False, repr=False, compare=False)
    rolls: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        basis = self.basis
        rolls = basis.measure is Measure.SPEND and basis.year != "anniversary_year"
        object.__setattr__(self, "places", {level.id: place for place, level in enumerate(self.levels)})
        object.__setattr__(self, "rolls", rolls)
