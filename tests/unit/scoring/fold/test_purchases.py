"""What orders, refunds and cancellations make of sums, days and the rhythm of buying."""

from datetime import UTC, datetime, timedelta

import pytest

from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.fold.purchases import begin_of
from services.scoring.domain.money import units
from services.scoring.domain.state import State
from services.scoring.domain.state.days import Days
from shared.program.values.period import day_of
from tests.support.life import NEW_YORK, SETTINGS, cancellation, moment, order, refund

EVENING = datetime(2026, 1, 2, 2, tzinfo=UTC)  # 1 January in New York
FIRST_DAY = day_of(EVENING, NEW_YORK)
COUNTED = ("orders", "spend", "days", "goods", "order_days", "gap_squares", "at_risk_at", "loyal_until")


def after(*events: Event) -> State:
    return fold(events, SETTINGS).state


def test_a_refund_counts_on_the_local_day_of_its_order() -> None:
    """Given an order of an evening and a later one; when some of the first is refunded; then its day has less."""
    state = after(
        order(EVENING, "1", "50"), order(moment(10), "2", "30"), refund(moment(20), "1", "r", "20.50")
    )

    assert state.spend == units("59.50")
    assert state.days == Days(
        (FIRST_DAY, FIRST_DAY + 10), (1, 1), (units("29.50"), units("30")), 2, units("59.50")
    )


def test_of_what_was_paid_in_other_money_nothing_is_counted_nor_given_back() -> None:
    state = after(order(EVENING, "1", "50", "EUR"), refund(moment(20), "1", "r", "20"))

    assert (state.orders, state.spend, state.days.spend_sum) == (1, 0, 0)


def test_an_order_that_is_called_off_was_never_there() -> None:
    """Given two orders of one day and one of another; when one of the two is cancelled; then all is as if it had not
    been placed, except that it was heard of."""
    first, last = order(EVENING, "1", "50"), order(moment(10), "3", "30")
    with_it = after(first, order(EVENING + timedelta(hours=1), "2", "7"), last, cancellation(moment(12), "2"))
    without = after(first, last)

    for field in (
        "orders",
        "spend",
        "days",
        "goods",
        "order_days",
        "gap_squares",
        "at_risk_at",
        "loyal_until",
    ):
        assert getattr(with_it, field) == getattr(without, field), field
    assert (with_it.first_order_at, with_it.last_order_at) == (first.at, last.at)
    assert (with_it.first_order_day, with_it.last_order_day) == (FIRST_DAY, FIRST_DAY + 10)


def test_a_cancellation_counts_anew_only_orders_that_stand_in_the_order_of_their_days() -> None:
    """Given a refund that came before its order, one of an order never told, and an order called off before; when
    another is called off; then the rest is counted as if neither had been placed."""
    refunds = refund(moment(-5), "3", "r", "1"), refund(moment(-4), "9", "s", "1")
    first, last = order(EVENING, "1"), order(moment(10), "3")
    called_off = order(moment(3), "2"), cancellation(moment(4), "2"), order(moment(20), "4")

    state = after(*refunds, first, last, *called_off, cancellation(moment(21), "4"))
    expected = after(*refunds, first, last)

    for field in ("first_order_at", "last_order_at", *COUNTED):
        assert getattr(state, field) == getattr(expected, field), field
    assert (expected.first_order_at, expected.last_order_at) == (first.at, last.at)


def test_the_only_order_called_off_leaves_the_silence_since_the_first_event() -> None:
    state = after(order(EVENING, "1", "50"), cancellation(moment(12), "1"))

    assert (state.orders, state.spend, state.days) == (0, 0, Days())
    assert (state.first_order_at, state.last_order_at, state.at_risk_at) == (None, None, None)
    assert (state.first_order_day, state.last_order_day, state.order_days, state.gap_squares) == (0, 0, 0, 0)
    assert state.lapses_at == datetime(2026, 3, 3, 2, tzinfo=UTC)


def test_the_rhythm_is_of_days_with_orders() -> None:
    """Given orders on the days 0, 0, 10 and 14, where half as long again as usual is a risk; then 7 days are usual,
    and 10.5 days after the last the customer is at risk."""
    times = (EVENING, EVENING + timedelta(hours=1), moment(10), moment(14))
    state = after(*(order(at, str(number)) for number, at in enumerate(times)))

    assert (state.orders, state.order_days, state.gap_squares) == (4, 3, 10**2 + 4**2)
    assert state.at_risk_at == moment(14) + timedelta(days=10.5)
    assert after(order(EVENING, "1")).at_risk_at is None


@pytest.mark.parametrize(
    ("day", "begins"), [(FIRST_DAY, datetime(2026, 1, 1, 5, tzinfo=UTC)), (4_000_000, None)]
)
def test_a_day_begins_at_midnight_there_unless_the_calendar_is_over(
    day: int, begins: datetime | None
) -> None:
    assert begin_of(day, NEW_YORK) == begins
