"""Tiers as frozen types: what counts towards them, how long they are kept, what they bring."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from shared.program.period import Period


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
    good), counted from when it was reached, or, where a year counts, from that year's end."""

    id: str
    name: str
    at: Decimal
    keep_for: Period | None
    benefits: tuple[Benefit, ...] = ()


@dataclass(frozen=True, slots=True)
class Tiers:
    """Levels in ascending order. Whoever no longer reaches their level when its time is over keeps it for `grace`, and
    then falls: to what they reach (`earned`), or by one level (`one_step`). They hear of it `notice_before`."""

    basis: Basis
    levels: tuple[TierLevel, ...]
    grace: Period | None = None
    downgrade: Literal["earned", "one_step"] = "earned"
    notice_before: Period | None = None
