"""Rewards for points, and what an undone order gives back: once, to the lots it came from, in whatever order told."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from services.rewards.domain.earning.undoing import undo_use
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending import checkout
from services.rewards.domain.spending.carts import Cart
from services.rewards.domain.spending.terms import Claimant
from services.rewards.domain.state.accounts import Kind
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.redemptions import CodeUse, Redemption, Status
from shared.contracts.activity import Activity
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, Life, cancellation, order, refund, rulebook
from tests.unit.rewards.points.posting import WAITING

CATALOGUE = """
rewards:
  mug: {points: 150, gift: mug, stock: 2}
  ten: {points: 100, discount: {percent: 10, at_most: 5}, minimum_order: 20}
  five: {points: 100, discount: {amount: 5}}
"""
RULES = rulebook(PROGRAM + CATALOGUE)


def life(*activities: Activity) -> Life:
    """A member of a program with a catalogue."""
    return Life(rules=RULES).happen(*activities)


def spend(member_life: Life, points: int, order_id: str = "77", id_: str = "red_1") -> Redemption:
    """Reserve and confirm points as money, known to the member as the database knows them."""
    member, changes = member_life.member, member_life.changes
    made = checkout.reserve(member, RULES.program, changes, id_=id_, points=points, order_id=order_id)
    checkout.confirm(member, made, changes)
    member.redemptions.setdefault(order_id, []).append(made)
    return made


def buy(member_life: Life, reward: str, total: str | None = None, taken: int = 0) -> Redemption:
    """Reserve a reward."""
    cart = Cart(order_id="77", total=Decimal(total) if total is not None else None, currency="USD")
    wanted, claimant = RULES.program.rewards[reward], Claimant(taken=taken)
    member, changes = member_life.member, member_life.changes
    return checkout.reserve_reward(member, RULES.program, changes, wanted, cart, claimant, id_="red_1")


def test_a_reward_puts_its_points_and_itself_aside() -> None:
    """Given 200 points; when the mug for 150 is reserved; then the points are, and one is out of the stock."""
    one = life(order("1", "200"))

    redemption = buy(one, "mug")

    assert (redemption.points, redemption.reward, redemption.value) == (150, "mug", None)
    assert redemption.gives is not None
    assert redemption.gives.gift == "mug"
    assert (one.member.available, one.member.reserved) == (50, 150)
    assert one.changes.stock == {"reward:mug": 1}
    assert one.changes.outcomes[-1].data["reward"] == "mug"


def test_a_released_reward_is_in_stock_again() -> None:
    """Given the mug, reserved; when it is released twice; then one comes back, once."""
    one = life(order("1", "200"))
    redemption = buy(one, "mug")

    checkout.release(one.member, redemption, one.changes)
    checkout.release(one.member, redemption, one.changes)

    assert one.changes.stock == {"reward:mug": 0}
    assert (one.member.available, one.member.reserved) == (200, 0)


@pytest.mark.parametrize(
    ("reward", "total", "value"),
    [("ten", "30", "3.00"), ("ten", "90", "5"), ("five", "3", "3"), ("five", None, "5")],
)
def test_a_discount_bought_with_points_is_worth_what_it_takes_off(
    reward: str, total: str | None, value: str
) -> None:
    assert buy(life(order("1", "200")), reward, total).value == Decimal(value)


@pytest.mark.parametrize(
    ("reward", "total", "taken", "code"),
    [
        ("mug", None, 2, "reward_out_of_stock"),
        ("ten", "19.99", 0, "reward_below_minimum_order"),
        ("ten", None, 0, "reward_order_needed"),
    ],
)
def test_a_refused_reward_changes_nothing(reward: str, total: str | None, taken: int, code: str) -> None:
    one = life(order("1", "200"))

    with pytest.raises(RefusedError) as refused:
        buy(one, reward, total, taken)

    assert (refused.value.code, refused.value.status) == (code, 409)
    assert one.kinds() == [("earn", "purchase", 200)]
    assert one.changes.stock == {}


def test_too_few_points_refuse_a_reward() -> None:
    with pytest.raises(RefusedError, match="insufficient_points"):
        buy(life(order("1", "149")), "mug")


def test_points_spent_on_a_cancelled_order_return_to_their_lots() -> None:
    """Given points of two orders, spent on a third; when that is cancelled; then both lots hold what they held."""
    one = life(order("1", "100"), order("2", "100"))
    before = {number: lot.remaining for number, lot in one.member.lots.items()}
    redemption = spend(one, 150)

    one.happen(cancellation("77"))
    one.happen(cancellation("77", name="again"))

    assert redemption.status is Status.RETURNED
    assert {number: lot.remaining for number, lot in one.member.lots.items()} == before
    assert [kind for kind, _, _ in one.kinds()].count("return") == 2
    assert one.told()[-1] == "points.returned"
    assert one.member.available == 200


def test_what_is_reserved_for_a_cancelled_order_is_released() -> None:
    """Given points put aside for an order; when it is cancelled; then they are free, and confirming is refused."""
    one = life(order("1", "100"))
    held = checkout.reserve(one.member, RULES.program, one.changes, id_="red_1", points=100, order_id="77")
    one.member.redemptions["77"] = [held]

    one.happen(cancellation("77"))

    assert (held.status, one.member.available, one.member.reserved) == (Status.RELEASED, 100, 0)
    with pytest.raises(RefusedError, match="redemption_released"):
        checkout.confirm(one.member, held, one.changes)


def test_returned_points_pay_a_debt_first() -> None:
    """Given 100 points spent, and their order refunded since; when what they were spent on is cancelled; then nobody
    owes anything, and nothing can be spent."""
    one = life(order("1", "100"))
    spend(one, 100)
    one.happen(refund("1", "r", "100"))
    assert one.member.debt == 100

    one.happen(cancellation("77"))

    assert (one.member.available, one.member.debt) == (0, 0)


def test_returned_points_keep_the_time_their_lots_have_left() -> None:
    """Given points spent; when their lot's last day is over before the order is cancelled; then they expire at once."""
    one = life(order("1", "100"))
    spend(one, 100)
    one.wait(timedelta(days=400)).happen(cancellation("77", at=NOW + timedelta(days=400)))

    one.wait(timedelta())

    assert one.member.available == 0
    assert one.kinds()[-1] == ("expire", None, 100)


def test_points_whose_lot_went_to_another_customer_return_to_a_lot_of_their_own() -> None:
    """Given spent points whose lot is somebody else's since; when the order is cancelled; then they are there, for as
    long as new points last."""
    one = life(order("1", "100"))
    spend(one, 100)
    one.member.lots.clear()

    one.happen(cancellation("77"))

    (lot,) = one.member.lots.values()
    assert (lot.remaining, lot.points, lot.pending, one.member.available) == (100, 100, False, 100)
    assert lot.expires_at is not None
    assert lot.expires_at > one.now


def test_a_return_is_written_to_the_last_field() -> None:
    """Given points spent of a lot of which a refund took some since, and some expired; when the order is cancelled;
    then the lot holds them again and never says that it had fewer, and entry, outcome and redemption tell of it."""
    one = life(order("1", "300"))
    redemption = spend(one, 250)
    (lot,) = one.member.lots.values()
    lot.points, lot.remaining, lot.expired, lot.changed = 260, 0, 40, False
    one.now = one.changes.now = NOW + timedelta(days=2)

    checkout.give_back(one.member, redemption, RULES.program, one.changes)

    assert (lot.remaining, lot.points, lot.changed) == (250, 290, True)
    assert (redemption.status, redemption.ended_at) == (Status.RETURNED, one.now)
    assert one.changes.redemptions[-1] is redemption
    entry, told = one.changes.entries[-1], one.changes.outcomes[-1]
    assert (entry.kind, entry.lot, entry.points, entry.cause, entry.at, entry.key) == (
        Kind.RETURN,
        lot.number,
        250,
        "red_1",
        one.now,
        f"return/red_1/{lot.number}",
    )
    assert (told.id, told.type, told.cause) == ("red_1/returned", "points.returned", "red_1")


def test_what_returns_pays_a_debt_in_the_name_of_the_redemption() -> None:
    """Given points spent, and points owed since; when the order is cancelled; then these are paid from what returns."""
    one = life(order("1", "300"))
    redemption = spend(one, 250)
    one.member.debt = 60
    one.now = one.changes.now = NOW + timedelta(days=2)

    checkout.give_back(one.member, redemption, RULES.program, one.changes)

    paid = one.changes.entries[-1]
    assert (paid.kind, paid.points, paid.cause, paid.at) == (Kind.SETTLE, 60, "red_1", one.now)


def test_what_is_past_its_last_day_expires_before_anything_returns() -> None:
    """Given points spent of a lot whose last day passes; when the order is cancelled after it; then the rest of the lot
    has expired before the points return."""
    one = life(order("1", "300"))
    redemption = spend(one, 250)
    one.now = one.changes.now = NOW + timedelta(days=400)

    checkout.give_back(one.member, redemption, RULES.program, one.changes)

    assert [(kind, points) for kind, _, points in one.kinds()[-2:]] == [("expire", 50), ("return", 250)]


def test_a_lot_of_their_own_has_its_own_number_and_waits_for_nothing() -> None:
    """Given points that were spent from two lots which are somebody else's since, in a program whose points wait; when
    they return; then each part has a lot that no other redemption fills, and can be spent at once."""
    one = life(order("1", "100"), order("2", "100"))
    redemption = spend(one, 200)
    parts = dict(redemption.taken)
    one.member.lots.clear()

    checkout.give_back(one.member, redemption, WAITING, one.changes)

    assert {lot.number: lot.remaining for lot in one.member.lots.values()} == {
        lot_number("red_1", str(number)): points for number, points in parts.items()
    }
    assert [entry.lot for entry in one.changes.entries[-2:]] == list(one.member.lots)
    assert [(lot.pending, lot.available_at) for lot in one.member.lots.values()] == [(False, None)] * 2


@pytest.mark.parametrize(
    "told",
    list(permutations([order("77", "40"), refund("77", "a", "15"), refund("77", "b", "25")])),
)
def test_an_order_refunded_in_full_gives_back_in_whatever_order_it_is_told(
    told: tuple[Activity, ...],
) -> None:
    """Given an order paid with points too; when it and its refunds come in any order; then the points are back once."""
    one = life(order("1", "100"))
    redemption = spend(one, 100)

    one.happen(*told)

    assert redemption.status is Status.RETURNED
    assert (one.member.available, one.member.debt) == (100, 0)


def test_a_refund_in_part_gives_no_points_back() -> None:
    one = life(order("1", "100"))
    redemption = spend(one, 100)

    one.happen(order("77", "40"), refund("77", "a", "39.99"))

    assert redemption.status is Status.CONFIRMED


def test_a_code_used_for_a_cancelled_order_may_be_used_again() -> None:
    """Given a code used for an order; when that is cancelled twice; then the use goes back once, and is told."""
    one = life(order("1", "100"))
    use = CodeUse(
        id="use_1", customer_id=CUSTOMER, code="ABCD", offer="five-off", order_id="77", at=NOW, personal=True
    )
    one.member.code_uses["77"] = [use]

    one.happen(cancellation("77"), cancellation("77", name="again"))

    assert use.undone_at == NOW
    assert one.changes.undone_uses == [use]
    assert one.changes.stock == {"offer:five-off": -1}
    (told,) = [outcome for outcome in one.changes.outcomes if outcome.type == "offer.released"]
    assert told.data == {"code": "ABCD", "offer": "five-off", "order_id": "77"}
    assert (told.cause, told.historical) == (cancellation("77").id, False)


def test_what_history_gives_back_is_told_as_history_and_stocks_add_up() -> None:
    """Given two codes of one offer, used for an old order; when history cancels it; then both are told so, as two."""
    one = life(order("1", "100"))
    uses = [
        CodeUse(
            id=f"use_{n}",
            customer_id=CUSTOMER,
            code=n,
            offer="five-off",
            order_id="77",
            at=NOW,
            personal=True,
        )
        for n in "ab"
    ]
    one.member.code_uses["77"] = uses

    one.happen(cancellation("77", historical=True))

    told = [outcome for outcome in one.changes.outcomes if outcome.type == "offer.released"]
    assert [outcome.historical for outcome in told] == [True, True]
    assert len({outcome.id for outcome in told}) == 2
    assert one.changes.stock == {"offer:five-off": -2}


def test_a_use_that_is_undone_by_itself_is_no_history() -> None:
    """Given a code that was used; when the use is undone without any order; then the customer is written and told."""
    one = life()
    use = CodeUse(
        id="use_1", customer_id=CUSTOMER, code="A", offer="five-off", order_id=None, at=NOW, personal=True
    )
    undo_use(one.member, use, one.changes, cause="asked")

    (told,) = one.changes.outcomes
    assert (told.id, told.cause, told.historical) == ("use_1/released", "asked", False)
    assert one.changes.members == {CUSTOMER: one.member}
