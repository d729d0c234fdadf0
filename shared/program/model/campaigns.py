"""Campaigns as frozen types: from an occasion to what is done about it, for whom, how often, and what success is."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from shared.program.conditions.condition import Condition
from shared.program.model.limit import Limit
from shared.program.values.period import Period
from shared.program.vocabulary.occasions import counts_silence

HOLDOUT: Final = "holdout"
"""The arm of customers who are left alone."""
TREATED: Final = "treated"
"""The arm of all others, in a campaign without variants."""

SEGMENT_MOVES: Final = frozenset({"segment.entered", "segment.left"})
MOVES: Final = SEGMENT_MOVES | {"stage.changed"}
"""Occasions to which a customer can come again and again, for reasons that no check of the program foresees."""
BRAKE: Final = Limit(times=3, per=Period(rest=timedelta(days=1)))
"""How often a campaign that writes begins on one of `MOVES`, where the program does not say: nobody whom messages and
their effects move to and fro is written to without end."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a campaign does; exactly one of the fields is set. `message` names a template, `tag` a word kept
    with the customer, `alert` what people of the shop are told of, `webhook` the endpoint that is called."""

    offer: str | None = None
    message: str | None = None
    points: int | None = None
    tag: str | None = None
    alert: str | None = None
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """A campaign has succeeded when an event of type `on`, for which `when` holds, follows within the period."""

    on: str
    within: Period
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of doing it: `share` is the percentage of those not held out who get this one; all sum up to 100."""

    id: str
    do: tuple[Action, ...]
    share: Decimal


@dataclass(frozen=True, slots=True)
class Campaign:
    """Occasion to action. `on` is the type of the occasion (`shared.program.vocabulary.occasions`).

    `after`: for occasions of silence how long it lasts, for a renewal how long ahead, for all others a delay before
    anything is done. `recheck`: after a delay it acts only if what it began on still holds. `holdout` is the share of
    customers that are left alone, in percent (10 means 10 %). What is done
    stands in `do`, or, where ways are compared, in `variants`.
    """

    id: str
    on: str
    do: tuple[Action, ...] = ()
    when: Condition | None = None
    after: Period | None = None
    at_most: Limit | None = None
    holdout: Decimal | None = None
    success: Goal | None = None
    variants: tuple[Variant, ...] = ()
    recheck: bool = True

    @property
    def delay(self) -> Period | None:
        """How long after the occasion it acts; None: at once."""
        return None if counts_silence(self.on) else self.after

    @property
    def writes(self) -> bool:
        """Whether it asks for a message, in whichever variant."""
        return any(action.message for action in self.actions())

    @property
    def limit(self) -> Limit | None:
        """How often it begins for a customer: `at_most`, or `BRAKE` where it could go in circles."""
        if self.at_most is None and self.on in MOVES and self.writes:
            return BRAKE
        return self.at_most

    @property
    def experiment(self) -> bool:
        """Whether not all customers get the same."""
        return self.holdout is not None or bool(self.variants)

    def actions(self) -> tuple[Action, ...]:
        """All that it may do, whichever the variant."""
        return self.do + tuple(action for variant in self.variants for action in variant.do)
