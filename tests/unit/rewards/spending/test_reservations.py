"""For how long points are put aside, what they are worth in the program's currency, and what a refusal tells."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending import checkout
from services.rewards.domain.spending.carts import EMPTY, Cart
from services.rewards.domain.spending.terms import Claimant
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.redemptions import Redemption
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, Life, order, rulebook

REDEEM = "redeem: {points: 100, value: 1.00, minimum: 100}"
REWARDS = """
rewards:
  mug: {points: 50, gift: mug}
  card: {points: 50, gift: card, until: 2026-05-31}
  ten: {points: 50, discount: {percent: 10}}
"""


def life(redeem: str, points: int = 300) -> Life:
    """A member with points, in a program that redeems so."""
    made = Life(rulebook(PROGRAM.replace(REDEEM, redeem) + REWARDS))
    return made.happen(order("1", str(points)))


def reserve(member_life: Life, points: int) -> Redemption:
    """Reserve points as money."""
    rules, changes = member_life.rules.program, member_life.changes
    return checkout.reserve(member_life.member, rules, changes, id_="red_1", points=points, order_id="77")


def reserve_reward(member_life: Life, reward: str, cart: Cart = EMPTY) -> Redemption:
    """Reserve a reward."""
    rules, changes = member_life.rules.program, member_life.changes
    return checkout.reserve_reward(
        member_life.member, rules, changes, rules.rewards[reward], cart, Claimant(), id_="red_1"
    )


@pytest.mark.parametrize(
    ("redeem", "minutes"),
    [
        (REDEEM, 30),
        (REDEEM.replace("minimum: 100", "minimum: 100, reserve_for: PT2H"), 120),
        ("", 30),
    ],
)
def test_points_are_put_aside_for_as_long_as_the_program_says(redeem: str, minutes: int) -> None:
    """Given a program that says for how long, or nothing, or that redeems no points as money; when a reward is
    reserved; then it is kept for so long."""
    kept = reserve_reward(life(redeem), "mug", Cart(order_id="77"))

    assert kept.expires_at == NOW + timedelta(minutes=minutes)
    assert (kept.id, kept.order_id) == ("red_1", "77")


def test_a_day_of_the_program_is_one_by_its_clock() -> None:
    """Given points that are put aside for a day, in the night of which New York sets its clocks forward; then it ends
    at the same time by the clock, an hour sooner."""
    one = life(REDEEM.replace("minimum: 100", "minimum: 100, reserve_for: P1D"))
    one.now = one.changes.now = NOW.replace(month=3, day=7)

    assert reserve_reward(one, "mug").expires_at == NOW.replace(month=3, day=8, hour=11)


def test_the_tier_that_terms_look_at_is_the_one_that_the_member_is_in() -> None:
    """Given members who have spent nothing, or enough for gold, or have a program without tiers; then so is it."""
    one, none = life(REDEEM), replace(life(REDEEM).rules.program, tiers=None)

    assert checkout.tier_of(Member(CUSTOMER), one.rules.program) == "member"
    assert checkout.tier_of(one.member, one.rules.program) == "gold"
    assert checkout.tier_of(one.member, none) is None


def test_what_points_are_worth_can_be_paid_in_the_programs_currency() -> None:
    """Given a program in yen, in which 100 points are worth 150; then 101 are worth 151, not 151.50; and a tenth of an
    order of 1,234 is 123, if the order does not say in what it is paid."""
    yen = PROGRAM.replace("currency: USD", "currency: JPY").replace("at: 200.01", "at: 201")
    yen = yen.replace(REDEEM, "redeem: {points: 100, value: 150, minimum: 100}")

    def rich() -> Life:
        return Life(rulebook(yen + REWARDS)).happen(order("1", "300", currency="JPY"))

    assert str(reserve(rich(), 101).value) == "151"
    assert str(reserve_reward(rich(), "ten", Cart(total=Decimal(1234))).value) == "123"


def test_a_refusal_says_what_would_do() -> None:
    """Given 300 points, of which 100 are the least; when too few or too many are asked for, or a reward whose time is
    over; then the answer says what there is, and why."""
    with pytest.raises(RefusedError) as few:
        reserve(life(REDEEM), 99)
    with pytest.raises(RefusedError) as many:
        reserve(life(REDEEM), 301)
    with pytest.raises(RefusedError) as none:
        reserve(life(""), 100)
    with pytest.raises(RefusedError) as over:
        reserve_reward(life(REDEEM), "card")

    assert (few.value.status, few.value.code, few.value.extra) == (422, "below_minimum", {"minimum": 100})
    assert (many.value.status, many.value.extra) == (409, {"available": 300})
    assert many.value.detail == "301 points were asked for; 300 are available."
    assert (none.value.status, none.value.code) == (422, "points_not_redeemable")
    assert (over.value.status, over.value.code) == (409, "reward_expired")
