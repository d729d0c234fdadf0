"""What a part of the score is, and the curves that parts are made of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from msgspec import Struct

from services.scoring.domain.event import Event
from services.scoring.domain.money import Units
from services.scoring.domain.score.parts.trace import Trace
from services.scoring.domain.state import State

FactValue = str | int | float | datetime | None

FULL = 64
"""So many half-values are everything, long before the power of a half vanishes."""


class View(Struct, frozen=True):
    """A customer at a moment, as the parts see them.

    `at` is the moment. `orders_12m` and `spend_12m` count the 365 days that end with `today` (numbered as
    `date.toordinal` does, in the program's zone; money in its currency). `good_year` is the spend in 12 months that
    gives half of that part.
    """

    state: State
    at: datetime
    today: int
    orders_12m: int
    spend_12m: Units
    good_year: Units


class Sign(Enum):
    """Which way a part can move the score."""

    BOTH = "both"
    LIFTS = "lifts"
    """Only good news feeds it: it counts where it is above the rest, so that good news never lowers the score."""
    LOWERS = "lowers"
    """Only bad news feeds it: it counts where it is below the rest, so that bad news never raises the score."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `measure` gives 0 to 100, or None when nothing is known.

    `fields` are those of the state that it rests on, where most customers have nothing in them: it is not asked where
    all are empty. `evidence` counts the observations behind it: with n of them the part has n / (n + `enough`)
    of its weight. That is the credibility of Bühlmann, "Experience rating and credibility" (1967): one review says
    something, ten say it surely. `facts` are those in the formula; `behind` names the events, newest last.
    """

    name: str
    measure: Callable[[View], int | None]
    facts: Callable[[View], dict[str, FactValue]]
    behind: Callable[[Trace], Iterable[Event]]
    fields: tuple[str, ...] = ()
    sign: Sign = Sign.BOTH
    evidence: Callable[[View], int] | None = None
    enough: int = 1


def falling(amount: float, half: float) -> int:
    """100 at nothing, half of it at `half`, and so on: 100 * ½^(amount / half)."""
    times = amount / half
    return int(100 * 0.5**times + 0.5) if times < FULL else 0


def rising(amount: float, half: float) -> int:
    """0 at nothing, 50 at `half`, ever closer to 100: the tenth one moves it less than the second."""
    times = amount / half
    return int(100.5 - 100 * 0.5**times) if times < FULL else 100


def rounded(value: float) -> int:
    """To the nearest whole number, halves up; `value` is not negative."""
    return int(value + 0.5)
