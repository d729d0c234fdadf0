"""The life cycle: in which stage a customer is at a moment, since when, and why.

- `onboarding`: fewer than two orders stand.
- `active`: two or more, and the silence since the last one is shorter than the thresholds below.
- `at_risk`: silent for `at_risk_at` times the customer's own order interval. The interval is the mean number of days
  between days with an order: the repeat-buying literature counts days, not receipts, so that two receipts in ten
  minutes do not make a rhythm (Fader, Hardie and Lee 2005, "Counting your customers the easy way").
- `lapsed`: silent for `lapsed_after`; a customer who never ordered, that long after the first event.
"""

from datetime import datetime

from msgspec import Struct

from services.scoring.domain.state import State

ONBOARDING = "onboarding"
ACTIVE = "active"
AT_RISK = "at_risk"
LAPSED = "lapsed"

ORDERS_TO_BE_ACTIVE = 2


class Standing(Struct, frozen=True):
    """A stage with its beginning. `cause` is the key of the event that brought it; empty when it was time alone."""

    stage: str
    since: datetime
    cause: str


def stage_of(orders: int, at_risk_at: datetime | None, lapses_at: datetime | None, moment: datetime) -> str:
    """The stage at `moment` of somebody with so many orders that stand, and these thresholds."""
    if lapses_at is not None and moment >= lapses_at:
        return LAPSED
    if at_risk_at is not None and moment >= at_risk_at:
        return AT_RISK
    return ACTIVE if orders >= ORDERS_TO_BE_ACTIVE else ONBOARDING


def stage_at(state: State, moment: datetime) -> str:
    """The stage at `moment`, which is not before the newest event."""
    return stage_of(state.orders, state.at_risk_at, state.lapses_at, moment)


def standing_at(state: State, moment: datetime) -> Standing:
    """The stage at `moment` with its beginning and cause; `state` holds at least one event."""
    stage = stage_at(state, moment)
    begins = state.lapses_at if stage == LAPSED else state.at_risk_at if stage == AT_RISK else None
    assert state.since is not None
    if begins is not None and begins > state.since:
        return Standing(stage, begins, "")
    return Standing(stage, state.since, state.cause)


def next_change_at(state: State, moment: datetime) -> datetime | None:
    """When time alone will next change the stage, if no event comes; None if never."""
    if state.lapses_at is not None and moment >= state.lapses_at:
        return None
    at_risk_at = state.at_risk_at
    if at_risk_at is None or moment >= at_risk_at:
        return state.lapses_at
    return at_risk_at if state.lapses_at is None else min(at_risk_at, state.lapses_at)
