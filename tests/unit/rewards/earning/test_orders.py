"""Points of orders, and taking them back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.spending import checkout
from services.rewards.domain.state.purchases import POINTS_MAX
from tests.unit.rewards.building import NOW, PROGRAM, Life, cancellation, order, refund, rulebook

VIP = {"segments": ["vip"]}


def test_an_order_gives_a_whole_point_per_unit_rounded_down() -> None:
    """Given 1 point per dollar; when 49.99 is paid; then 49 points are available."""
    life = Life().happen(order("1", "49.99"))

    assert life.kinds() == [("earn", "purchase", 49)]
    assert life.member.available == life.member.lifetime_earned == 49
    assert life.told() == ["points.earned"]


def test_no_order_gives_more_points_than_can_be_kept() -> None:
    """Given a rate and a multiplier as large as a program may have; when orders as large as they may be are paid; then
    each rule gives a trillion points at most, and a refund leaves what the rest gives."""
    huge = PROGRAM.replace("points_per_unit: 1}", "points_per_unit: 1000000}").replace("1.5", "1000")
    life = Life(rulebook(huge)).happen(order("1", "999999999999.9999", facts=VIP))
    assert life.kinds() == [("earn", "purchase", POINTS_MAX), ("earn", "vip-double", POINTS_MAX)]

    life.happen(refund("1", "r", "999999999999"))
    assert life.member.available == 999_900 + 999 * 999_900
    life.happen(cancellation("1"))
    assert life.member.available == life.member.lifetime_earned == life.member.debt == 0


def test_a_multiplier_is_an_entry_of_its_own() -> None:
    """Given 1.5 times for VIPs; when a VIP pays 33.00; then 16 more points are posted under the rule's name."""
    life = Life().happen(order("1", "33.00", facts=VIP))

    assert life.kinds() == [("earn", "purchase", 33), ("earn", "vip-double", 16)]
    assert len(life.member.lots) == 1


def test_the_same_order_in_a_second_event_counts_once() -> None:
    """Given an order; when a later event completes it again with another total; then nothing changes."""
    life = Life().happen(
        order("1", "49.20"), order("1", "80.00", name="again", at=NOW + timedelta(seconds=1))
    )

    assert life.member.available == 49


@pytest.mark.parametrize(("total", "points", "kinds"), [("80.00", 80, "earn"), ("20.50", 20, "reverse")])
def test_a_telling_with_an_earlier_time_puts_the_order_right(total: str, points: int, kinds: str) -> None:
    """Given an order; when an event with an earlier time tells it with another total; then that one counts, for points,
    spend and refunds, and exactly the difference is posted, once."""
    earlier = order("1", total, name="again", at=NOW - timedelta(seconds=1))
    life = Life().happen(order("1", "49.20"), earlier, order("1", "7.00", name="later", at=NOW))

    assert life.kinds() == [("earn", "purchase", 49), (kinds, "purchase", abs(points - 49))]
    assert life.member.available == life.member.lifetime_earned == points
    assert life.member.spend == Decimal(total)
    life.happen(refund("1", "r", total))
    assert life.member.available == life.member.lifetime_earned == life.member.spend == 0


def test_an_order_that_gave_nothing_gives_what_the_earlier_telling_gives() -> None:
    """Given an order in another currency; when it is told with an earlier time in the program's; then it counts."""
    life = Life().happen(
        order("1", "49.20", currency="EUR"), order("1", "49.20", name="again", at=NOW - timedelta(seconds=1))
    )

    assert life.member.available == life.member.lifetime_earned == 49
    assert life.member.spend == Decimal("49.20")


def test_a_telling_in_another_currency_takes_all_points_back() -> None:
    """Given an order; when it is told with an earlier time in a currency that counts nothing; then it gave nothing."""
    life = Life().happen(
        order("1", "49.20"), order("1", "49.20", currency="EUR", name="again", at=NOW - timedelta(seconds=1))
    )

    assert life.member.available == life.member.lifetime_earned == life.member.spend == 0


def test_an_order_in_another_currency_gives_no_points_and_no_spend() -> None:
    """Given a program in USD; when EUR are paid; then there are no points, and nothing counts towards a tier."""
    life = Life().happen(order("1", "900.00", currency="EUR"))

    assert life.kinds() == []
    assert life.member.spend == 0


def test_a_partial_refund_takes_back_what_the_rest_no_longer_earns() -> None:
    """Given 49 points for 49.20; when 10.00 go back; then 10 points do: 39.20 earn 39."""
    life = Life().happen(order("1", "49.20"), refund("1", "r1", "10.00"))

    assert life.kinds()[-1] == ("reverse", "purchase", 10)
    assert life.member.available == life.member.lifetime_earned == 39


def test_refunds_in_parts_take_back_exactly_all() -> None:
    """Given 49 points for 49.99; when it goes back in three parts; then no point is left, none too many is taken."""
    life = Life().happen(
        order("1", "49.99", facts=VIP),
        refund("1", "r1", "0.99"),
        refund("1", "r2", "24.50"),
        refund("1", "r3", "24.50"),
    )

    assert life.member.available == life.member.debt == life.member.lifetime_earned == 0


def test_a_refund_id_counts_once() -> None:
    """Given a refund; when another event tells of the same refund; then it takes nothing."""
    life = Life().happen(order("1", "50"), refund("1", "r1", "10"), refund("1", "r1", "10", name="again"))

    assert life.member.available == 40


def test_refunds_above_the_total_are_capped() -> None:
    """Given an order of 50; when 80 go back; then its 50 points do."""
    life = Life().happen(order("1", "50"), refund("1", "r1", "30"), refund("1", "r2", "50"))

    assert life.member.available == life.member.debt == 0


def test_a_refund_before_its_order_is_remembered() -> None:
    """Given a refund of an order not seen yet; when the order arrives; then it ends as in the other order."""
    early = Life().happen(refund("1", "r1", "10"), order("1", "50"))
    usual = Life().happen(order("1", "50"), refund("1", "r1", "10"))

    assert early.member.available == usual.member.available == 40
    assert early.member.lifetime_earned == usual.member.lifetime_earned == 40
    assert early.member.spend == usual.member.spend == 40


def test_a_cancellation_takes_back_what_refunds_left() -> None:
    """Given an order refunded in part; when it is cancelled; then exactly the rest goes."""
    life = Life().happen(
        order("1", "50"), refund("1", "r1", "20"), cancellation("1"), cancellation("1", name="x")
    )

    assert life.member.available == life.member.debt == 0
    assert [points for kind, _, points in life.kinds() if kind == "reverse"] == [20, 30]


def test_a_refund_in_another_currency_than_the_order_is_not_set_off() -> None:
    """Given an order in USD; when EUR are refunded; then no points are taken."""
    life = Life().happen(order("1", "50"), refund("1", "r1", "10", currency="EUR"))

    assert life.member.available == 50


def test_points_already_spent_become_a_debt_that_later_points_pay_first() -> None:
    """Given 120 points, 110 of them spent; when the order is refunded; then the next order pays the 110 owed."""
    life = Life().happen(order("1", "120"))
    redemption = checkout.reserve(
        life.member, life.rules.program, life.changes, id_="red_1", points=110, order_id=None
    )
    checkout.confirm(life.member, redemption, life.changes)

    life.happen(refund("1", "r1", "120"))
    assert life.member.spendable() == -110

    life.happen(order("2", "150"))
    assert life.member.debt == 0
    assert life.member.spendable() == life.member.available == 40


def test_a_refund_takes_from_other_lots_before_it_makes_debt() -> None:
    """Given two orders, the first one's points spent; when the first is refunded; then the second one's lot pays."""
    life = Life().happen(order("1", "100"), order("2", "100", at=NOW + timedelta(days=40)))
    redemption = checkout.reserve(
        life.member, life.rules.program, life.changes, id_="red_1", points=100, order_id=None
    )
    checkout.confirm(life.member, redemption, life.changes)

    life.happen(refund("1", "r1", "30"))

    assert life.member.available == 70
    assert life.member.debt == 0


def test_points_that_expired_unspent_are_not_taken_a_second_time() -> None:
    """Given points that expired; when their order is refunded; then newer points stay untouched."""
    life = (
        Life()
        .happen(order("1", "50"))
        .wait(timedelta(days=300))
        .happen(order("2", "30", at=NOW + timedelta(days=300)))
    )
    life.wait(timedelta(days=100))
    assert life.member.available == 30

    life.happen(refund("1", "r1", "50"))

    assert life.member.available == 30
    assert life.member.debt == 0
    assert life.kinds()[-1] == ("reverse", "purchase", 50)


@pytest.mark.parametrize("total", ["0", "0.00", "0.99"])
def test_an_order_of_less_than_a_point_gives_none(total: str) -> None:
    """Given 1 point per dollar; when less than one is paid; then nothing is posted."""
    assert Life().happen(order("1", total)).kinds() == []
