"""The lifecycle as a table: which stage follows which, by what, and when.

This table is what runs (`stages.py` reads it) and what `docs/lifecycle.md` shows and draws; a test holds the two
together. The stages follow the usual customer lifecycle of acquisition, value, retention and win-back (Blattberg, Kim
and Neslin 2008, "Database Marketing", part V); that risk is measured by the customer's own rhythm of buying, not by one
number of days for all, follows the repeat-buying models (Fader, Hardie and Lee 2005, "Counting your customers the
easy way").
"""

from enum import StrEnum

from msgspec import Struct

from shared.contracts.lifecycle import (
    ACTIVE,
    AT_RISK,
    CHURNED,
    LAPSED,
    LOYAL,
    ONBOARDING,
    VALUE_REALISATION,
    WON_BACK,
)


class By(StrEnum):
    """What moves a customer: an order that stands, an order called off, or time alone."""

    ORDER = "order"
    CANCELLATION = "cancellation"
    TIME = "time"


class When(StrEnum):
    """The conditions, in the words of the documentation. Orders are those that stand."""

    RISKED = "silent for `at_risk_at` times the own order interval"
    LAPSED = "silent for `lapsed_after`"
    CHURNED = "silent for `churned_after`"
    FADED = "fewer than `loyal_orders` in 365 days"
    CAME_BACK = "had ordered before"
    RETURNING = "fewer than `won_back_orders` since the return"
    LOYAL = "`loyal_orders` in 365 days"
    ACTIVE = "`active_orders` in all"
    ORDERED = "one order"
    NONE_LEFT = "no order"


class Transition(Struct, frozen=True):
    """From any of `sources` to `target`. A target that is among its own sources says that the stage stays."""

    by: By
    sources: tuple[str, ...]
    target: str
    when: When


GOING = (ONBOARDING, VALUE_REALISATION, ACTIVE, LOYAL, WON_BACK)
"""Not silent for long."""

_ANY = (*GOING, AT_RISK, LAPSED, CHURNED)

TRANSITIONS = (
    # An order ends every silence.
    Transition(By.ORDER, (LAPSED, CHURNED), WON_BACK, When.CAME_BACK),
    Transition(By.ORDER, (WON_BACK, AT_RISK), WON_BACK, When.RETURNING),
    Transition(By.ORDER, (ACTIVE, WON_BACK, AT_RISK), LOYAL, When.LOYAL),
    Transition(By.ORDER, (VALUE_REALISATION, WON_BACK, AT_RISK), ACTIVE, When.ACTIVE),
    Transition(By.ORDER, (ONBOARDING, WON_BACK, AT_RISK, LAPSED, CHURNED), VALUE_REALISATION, When.ORDERED),
    # Time alone: the earliest of those that a stage has.
    Transition(By.TIME, (LOYAL,), ACTIVE, When.FADED),
    Transition(By.TIME, GOING, AT_RISK, When.RISKED),
    Transition(By.TIME, (*GOING, AT_RISK), LAPSED, When.LAPSED),
    Transition(By.TIME, (LAPSED,), CHURNED, When.CHURNED),
    # A cancelled order counts no more, also not against a silence that lasts since the one before.
    Transition(By.CANCELLATION, _ANY, CHURNED, When.CHURNED),
    Transition(By.CANCELLATION, (*GOING, AT_RISK, LAPSED), LAPSED, When.LAPSED),
    Transition(By.CANCELLATION, (*GOING, AT_RISK), AT_RISK, When.RISKED),
    Transition(By.CANCELLATION, (WON_BACK, AT_RISK), WON_BACK, When.RETURNING),
    Transition(By.CANCELLATION, (LOYAL, AT_RISK), LOYAL, When.LOYAL),
    Transition(By.CANCELLATION, (ACTIVE, LOYAL, AT_RISK), ACTIVE, When.ACTIVE),
    Transition(By.CANCELLATION, (VALUE_REALISATION, ACTIVE, AT_RISK), VALUE_REALISATION, When.ORDERED),
    Transition(By.CANCELLATION, (ONBOARDING, VALUE_REALISATION, AT_RISK), ONBOARDING, When.NONE_LEFT),
)
"""All of them. Of several that hold for an order or a cancellation, the first counts."""
