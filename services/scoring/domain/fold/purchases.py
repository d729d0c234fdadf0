"""What a change of one order does to the state: counts, sums, days, the rhythm of buying."""

import itertools
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from services.scoring.domain.money import Units
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State
from services.scoring.domain.state.days import WINDOW_DAYS, Days
from services.scoring.domain.state.goods import of_orders, with_order
from services.scoring.domain.state.orders import Book, Order
from shared.program.values.period import Period, day_of

DAY_US = 86_400_000_000

Changes = dict[str, Any]
"""Fields of the state that get another value. The functions here add to it what an order makes of the state."""


def net_in(order: Order, currency: str) -> Units:
    """What the order brought in the program's currency: nothing if it was paid in another one."""
    return order.net if order.currency == currency else 0


def placed(state: State, order: Order, settings: ScoreSettings, changes: Changes) -> None:
    """A new order that stands; it is the newest of all events, hence the newest order."""
    at = order.placed_at
    assert at is not None
    day = day_of(at, settings.zone)
    net = net_in(order, settings.currency)
    first_day, order_days = state.first_order_day, state.order_days
    if state.orders == 0:
        first_day, order_days = day, 1
        changes["first_order_at"] = at
        changes["first_order_day"] = day
        changes["order_days"] = 1
        changes["gap_squares"] = 0
    elif day != state.last_order_day:
        order_days += 1
        changes["order_days"] = order_days
        changes["gap_squares"] = state.gap_squares + (day - state.last_order_day) ** 2
    changes["orders"] = state.orders + 1
    changes["spend"] = state.spend + net
    changes["last_order_at"] = at
    changes["last_order_day"] = day
    changes["days"] = state.days.with_order(day, net)
    changes["goods"] = with_order(state.goods, order.data, first=not state.orders)
    _thresholds(at, day - first_day, order_days, settings, changes)
    changes["loyal_until"] = _loyal_until(changes["days"], settings)


def given_back(state: State, before: Order, after: Order, settings: ScoreSettings, changes: Changes) -> None:
    """A refund of an order that stands. It counts on the day of the order, so that windows never go below zero."""
    assert after.placed_at is not None
    difference = net_in(before, settings.currency) - net_in(after, settings.currency)
    if not difference:
        return
    day = day_of(after.placed_at, settings.zone)
    changes["spend"] = state.spend - difference
    changes["days"] = state.days.less(day, difference)


def withdrawn(state: State, before: Order, book: Book, settings: ScoreSettings, changes: Changes) -> None:
    """A cancellation of an order that stood: everything is as if it had never been placed. `book` holds all orders,
    with what their events told."""
    assert before.placed_at is not None
    net = net_in(before, settings.currency)
    day = day_of(before.placed_at, settings.zone)
    changes["orders"] = state.orders - 1
    changes["spend"] = state.spend - net
    changes["days"] = state.days.less(day, net, orders=1)
    rest = [
        (order.placed_at, order.event_key or "", order.data)
        for order in book.values()
        if order.placed_at is not None and order.counts and order.order_id != before.order_id
    ]
    rest.sort(key=itemgetter(0, 1))
    changes["goods"] = of_orders(data for _, _, data in rest)
    _rhythm(state, [at for at, _, _ in rest], settings, changes)
    changes["loyal_until"] = _loyal_until(changes["days"], settings)


def _rhythm(state: State, standing: list[datetime], settings: ScoreSettings, changes: Changes) -> None:
    """First and last order, order days and gaps, counted anew from the times of the orders that stand."""
    if not standing:
        assert state.first_at is not None
        changes |= dict.fromkeys(("first_order_at", "last_order_at", "at_risk_at"))
        changes |= dict.fromkeys(("first_order_day", "last_order_day", "order_days", "gap_squares"), 0)
        silence_from(state.first_at, settings, changes)
        return
    days = sorted({day_of(at, settings.zone) for at in standing})
    last_at = standing[-1]
    changes |= {
        "first_order_at": standing[0],
        "last_order_at": last_at,
        "first_order_day": days[0],
        "last_order_day": days[-1],
        "order_days": len(days),
        "gap_squares": sum((later - earlier) ** 2 for earlier, later in itertools.pairwise(days)),
    }
    _thresholds(last_at, days[-1] - days[0], len(days), settings, changes)


def _thresholds(
    last_at: datetime, span: int, order_days: int, settings: ScoreSettings, changes: Changes
) -> None:
    """When silence after the last order makes the customer at risk, lapsed, churned."""
    at_risk_at = None
    if order_days > 1:
        times, per = settings.at_risk
        at_risk_at = _later(last_at, span * DAY_US * times // (per * (order_days - 1)))
    changes["at_risk_at"] = at_risk_at
    silence_from(last_at, settings, changes)


def silence_from(moment: datetime, settings: ScoreSettings, changes: Changes) -> None:
    """When silence since `moment` will have lasted for `lapsed_after` and for `churned_after`."""
    changes["lapses_at"] = _after(settings.lapsed_after, moment, settings.zone)
    changes["churns_at"] = _after(settings.churned_after, moment, settings.zone)


def _after(period: Period, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """None beyond the end of the calendar."""
    try:
        return period.after(moment, zone)
    except OverflowError:
        return None


def _loyal_until(days: Days, settings: ScoreSettings) -> datetime | None:
    """When the `loyal_orders`-th newest order leaves the 365 days; None with fewer orders than that."""
    if days.orders_sum < settings.loyal_orders:
        return None
    newest = days.newest(settings.loyal_orders)
    return None if newest is None else begin_of(newest + WINDOW_DAYS, settings.zone)


@lru_cache(maxsize=8192)
def begin_of(day: int, zone: ZoneInfo) -> datetime | None:
    """The instant at which the calendar day with this number begins in `zone`; None beyond the end of the calendar."""
    try:
        return datetime.fromordinal(day).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _later(moment: datetime, delay_us: int) -> datetime | None:
    try:
        return moment + timedelta(microseconds=delay_us)
    except OverflowError:
        return None
