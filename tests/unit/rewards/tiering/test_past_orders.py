"""Orders as they were: what was told since is taken away, and nothing is guessed."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from msgspec import structs

from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.tiering.past_orders import NotToldError, before
from shared.contracts.activity import Activity
from tests.unit.rewards.building import NOW, Life, cancellation, order, refund

FIRST = order("1", "100")
REFUND = refund("1", "r", "30")
EARLIER = order("1", "80", name="told-again", at=NOW - timedelta(days=3))


def after(*activities: Activity) -> Purchase:
    """The order once these were told of it."""
    return Life().happen(*activities).member.purchases["1"]


AT_ONCE = tuple(order("1", total, name=f"at-once-{total}") for total in ("100", "90", "80", "70"))
REFUNDS = tuple(
    refund("1", "r", amount, name=f"told-{amount}", at=NOW - timedelta(hours=hours))
    for hours, amount in enumerate(("30", "20", "10"))
)
STEPS = [
    *permutations(AT_ONCE),
    *((FIRST, *told) for told in permutations(REFUNDS)),
    (FIRST, REFUND),
    (FIRST, refund("1", "r", "30", name="before"), REFUND),
    (FIRST, REFUND, refund("1", "s", "5"), cancellation("1")),
    (FIRST, cancellation("1"), cancellation("1", name="again"), REFUND),
    (REFUND, FIRST, cancellation("1")),
    (FIRST, EARLIER, REFUND),
    (EARLIER, FIRST, REFUND),
    (FIRST, order("1", "70", name="same-time"), EARLIER),
]


@pytest.mark.parametrize("told", STEPS)
def test_an_order_before_what_was_told_since_is_what_it_was(told: tuple[Activity, ...]) -> None:
    """Given an order and what was told of it; when it is looked at as of each step; then it is what it was."""
    now = after(*told)
    for step in range(1, len(told)):
        then, was = before(now, told[:step], told[step:]), after(*told[:step])
        assert (then.placed_at, then.net(), then.cancelled, then.refunds) == (
            was.placed_at,
            was.net(),
            was.cancelled,
            was.refunds,
        )
    assert before(now, (), told).placed_at is None
    assert now == after(*told), "what is stored was changed"


def test_what_records_do_not_tell_is_not_guessed() -> None:
    """Given an order whose own record is gone, or that was in another currency before; then it is not known."""
    with pytest.raises(NotToldError):
        before(after(FIRST, REFUND), (), (REFUND,))
    euros = order("1", "100", currency="EUR")
    with pytest.raises(NotToldError):
        before(after(euros, EARLIER), (euros,), (EARLIER,))


def test_what_two_customers_told_is_known_unless_what_counts_came_since() -> None:
    """Given an order that two customers, who were merged since, have told; when later tellings do not count, it is what
    it was; when one counts, nobody knows whose counted before."""
    first, second = (pick(AT_ONCE, key=lambda each: lot_number(each.id)) for pick in (min, max))
    total = first.data["total"]
    theirs = order("1", "60", name="theirs", at=NOW + timedelta(hours=1), customer="cus_other")
    for late in (second, order("1", total, name="late", at=NOW + timedelta(hours=2))):
        then = before(after(first, theirs, late), (first, theirs), (late,))
        assert (then.placed_at, then.total) == (NOW, Decimal(total))
    with pytest.raises(NotToldError):
        before(after(first, theirs, EARLIER), (first, theirs), (EARLIER,))


def test_of_an_order_that_only_its_refund_told_of_nothing_counts() -> None:
    """Given a refund of an order that never came; then as of any moment it is worth nothing."""
    assert before(after(REFUND), (), (REFUND,)).net() == Decimal(0)
    assert structs.asdict(before(after(REFUND), (), (REFUND,)))["refunds"] == {}
