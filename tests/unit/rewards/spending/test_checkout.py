"""Reserve, confirm, release, adjust: what they move and what they refuse."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.rewards.domain import adjusting
from services.rewards.domain.spending import checkout
from services.rewards.domain.spending.redemptions import Redemption, Status
from services.rewards.domain.spending.refusals import RefusedError
from tests.unit.rewards.building import NOW, Life, order


def reserve(life: Life, points: int, id_: str = "red_1") -> Redemption:
    """Reserve points."""
    return checkout.reserve(
        life.member, life.rules.program, life.changes, id_=id_, points=points, order_id="77"
    )


def test_points_that_expire_first_are_spent_first() -> None:
    """Given a later order that arrived first; when points are spent; then those of the older order go."""
    life = Life().happen(order("new", "200", at=NOW), order("old", "200", at=NOW - timedelta(days=90)))

    redemption = reserve(life, 250)

    old, new = redemption.taken
    assert (old[1], new[1]) == (200, 50)
    assert life.member.lots[old[0]].expires_at < life.member.lots[new[0]].expires_at  # type: ignore[operator]
    assert redemption.value == Decimal("2.50")


def test_lots_past_their_last_day_cannot_be_spent_even_before_the_job_came_by() -> None:
    """Given points whose last day is over; when they are asked for; then they are not there."""
    life = Life().happen(order("1", "200"))
    life.now = life.changes.now = NOW + timedelta(days=366)

    with pytest.raises(RefusedError) as refused:
        reserve(life, 100)

    assert refused.value.code == "insufficient_points"
    assert refused.value.extra == {"available": 0}
    assert life.kinds() == [("earn", "purchase", 200)]


def test_points_live_through_their_last_day_in_the_programs_zone() -> None:
    """Given points of 1 June; when it is 23:59 in New York a year later; then they can still be spent."""
    life = Life().happen(order("1", "200"))
    life.now = life.changes.now = NOW.replace(year=2027, month=6, day=2, hour=3, minute=59)

    assert reserve(life, 100).status is Status.RESERVED


def test_release_gives_points_back_to_their_lots() -> None:
    """Given a reservation over two lots; when it is released; then both hold what they held."""
    life = Life().happen(order("1", "100"), order("2", "100"))
    before = {number: lot.remaining for number, lot in life.member.lots.items()}
    redemption = reserve(life, 150)

    checkout.release(life.member, redemption, life.changes)
    checkout.release(life.member, redemption, life.changes)

    assert {number: lot.remaining for number, lot in life.member.lots.items()} == before
    assert (life.member.available, life.member.reserved) == (200, 0)


def test_a_confirmed_redemption_cannot_be_released_nor_a_released_one_confirmed() -> None:
    """Given two reservations; when one is confirmed, one released; then neither can go the other way."""
    life = Life().happen(order("1", "300"))
    spent, given_back = reserve(life, 100), reserve(life, 100, "red_2")
    checkout.confirm(life.member, spent, life.changes)
    checkout.confirm(life.member, spent, life.changes)
    checkout.release(life.member, given_back, life.changes)

    with pytest.raises(RefusedError, match="redemption_confirmed"):
        checkout.release(life.member, spent, life.changes)
    with pytest.raises(RefusedError, match="redemption_released"):
        checkout.confirm(life.member, given_back, life.changes)
    assert (life.member.available, life.member.reserved) == (200, 0)


def test_a_reservation_cannot_be_confirmed_at_the_moment_it_ends() -> None:
    """Given a reservation; when its time is over to the microsecond; then confirm is refused, and not before."""
    life = Life().happen(order("1", "300"))
    first, second = reserve(life, 100), reserve(life, 100, "red_2")

    life.changes.now = first.expires_at - timedelta(microseconds=1)
    checkout.confirm(life.member, first, life.changes)
    life.changes.now = second.expires_at
    with pytest.raises(RefusedError, match="redemption_expired"):
        checkout.confirm(life.member, second, life.changes)


@pytest.mark.parametrize(("points", "code"), [(99, "below_minimum"), (301, "insufficient_points")])
def test_refusals_change_nothing(points: int, code: str) -> None:
    """Given 300 points; when too few or too many are asked for; then nothing is posted."""
    life = Life().happen(order("1", "300"))

    with pytest.raises(RefusedError, match=code):
        reserve(life, points)

    assert life.kinds() == [("earn", "purchase", 300)]
    assert life.member.available == 300


def test_an_adjustment_never_goes_below_zero() -> None:
    """Given 30 points; when 31 are taken by hand, then 30; then the first is refused, the second leaves none."""
    life = Life().happen(order("1", "30"))

    with pytest.raises(RefusedError, match="insufficient_points"):
        adjusting.adjust(life.member, life.rules.program, life.changes, id_="adj_1", points=-31, reason="x")
    adjusting.adjust(life.member, life.rules.program, life.changes, id_="adj_2", points=-30, reason="x")

    assert life.member.available == 0


def test_points_given_by_hand_pay_a_debt_first() -> None:
    """Given 100 points owed; when 130 are given; then 30 can be spent."""
    life = Life()
    life.member.debt = 100

    adjusting.adjust(life.member, life.rules.program, life.changes, id_="adj_1", points=130, reason="x")

    assert (life.member.available, life.member.debt) == (30, 0)
