"""What a change of one order does to the state: counts, sums, days, the rhythm of buying."""

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.scoring.domain.money import Units
from services.scoring.domain.orders import Book, Order
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State

DAY_US = 86_400_000_000

Changes = dict[str, Any]
"""Fields of the state that get another value."""


def day_of(moment: datetime, zone: ZoneInfo) -> int:
    """The number of the calendar day on which `moment` falls in `zone`."""
    return moment.astimezone(zone).toordinal()


def net_in(order: Order, currency: str) -> Units:
    """What the order brought in the program's currency: nothing if it was paid in another one."""
    return order.net if order.currency == currency else 0


def placed(state: State, order: Order, settings: ScoreSettings) -> Changes:
    """A new order that stands; it is the newest of all events, hence the newest order."""
    assert order.placed_at is not None
    at = order.placed_at
    day = day_of(at, settings.zone)
    net = net_in(order, settings.currency)
    changes: Changes = {
        "orders": state.orders + 1,
        "spend": state.spend + net,
        "last_order_at": at,
        "last_order_key": order.event_key,
        "last_order_day": day,
        "days": state.days.with_order(day, net),
    }
    if state.orders == 0:
        changes |= {"first_order_at": at, "first_order_day": day, "order_days": 1, "gap_squares": 0}
    elif day != state.last_order_day:
        changes["order_days"] = state.order_days + 1
        changes["gap_squares"] = state.gap_squares + (day - state.last_order_day) ** 2
    return changes | _thresholds(
        at,
        day - changes.get("first_order_day", state.first_order_day),
        changes.get("order_days", state.order_days),
        settings,
    )


def given_back(state: State, before: Order, after: Order, settings: ScoreSettings) -> Changes:
    """A refund of an order that stands. It counts on the day of the order, so that windows never go below zero."""
    assert after.placed_at is not None
    difference = net_in(before, settings.currency) - net_in(after, settings.currency)
    if not difference:
        return {}
    day = day_of(after.placed_at, settings.zone)
    return {"spend": state.spend - difference, "days": state.days.less(day, difference)}


def withdrawn(state: State, before: Order, book: Book, settings: ScoreSettings) -> Changes:
    """A cancellation of an order that stood: everything is as if it had never been placed. `book` holds all orders."""
    assert before.placed_at is not None
    net = net_in(before, settings.currency)
    day = day_of(before.placed_at, settings.zone)
    rest = (order for order in book.values() if order.counts and order.order_id != before.order_id)
    return {
        "orders": state.orders - 1,
        "spend": state.spend - net,
        "days": state.days.less(day, net, orders=1),
    } | _rhythm(state, rest, settings)


def _rhythm(state: State, orders: Iterable[Order], settings: ScoreSettings) -> Changes:
    """First and last order, order days and gaps, counted anew."""
    standing = sorted((o.placed_at, o.event_key) for o in orders if o.placed_at and o.event_key)
    if not standing:
        nothing: Changes = dict.fromkeys(("first_order_at", "last_order_at", "at_risk_at"))
        nothing |= dict.fromkeys(("first_order_day", "last_order_day", "order_days", "gap_squares"), 0)
        assert state.first_at is not None
        return nothing | {"last_order_key": "", "lapses_at": lapse(state.first_at, settings)}
    days = sorted({day_of(at, settings.zone) for at, _ in standing})
    gaps = (later - earlier for earlier, later in itertools.pairwise(days))
    last_at, last_key = standing[-1]
    return {
        "first_order_at": standing[0][0],
        "last_order_at": last_at,
        "last_order_key": last_key,
        "first_order_day": days[0],
        "last_order_day": days[-1],
        "order_days": len(days),
        "gap_squares": sum(gap * gap for gap in gaps),
    } | _thresholds(last_at, days[-1] - days[0], len(days), settings)


def _thresholds(last_at: datetime, span: int, order_days: int, settings: ScoreSettings) -> Changes:
    """When silence after the last order makes the customer at risk, and lapsed."""
    at_risk_at = None
    if order_days > 1:
        times, per = settings.at_risk
        silence_us = span * DAY_US * times // (per * (order_days - 1))
        at_risk_at = _later(last_at, timedelta(microseconds=silence_us))
    return {"at_risk_at": at_risk_at, "lapses_at": lapse(last_at, settings)}


def lapse(moment: datetime, settings: ScoreSettings) -> datetime | None:
    """When silence since `moment` has lasted for `lapsed_after`; None beyond the end of the calendar."""
    try:
        return settings.lapsed_after.after(moment, settings.zone)
    except OverflowError:
        return None


def _later(moment: datetime, delay: timedelta) -> datetime | None:
    try:
        return moment + delay
    except OverflowError:
        return None
