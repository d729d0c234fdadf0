"""A refund that is told several times, each time otherwise, comes to the same for rewards as in the profile; also where
the order itself is."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.tiering.past_orders import before
from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.money import decimal
from shared.contracts.activity import Activity
from tests.support import life as scoring
from tests.unit.rewards import building as rewards

Telling = tuple[int, int, int]
"""Of a refund: its id, the minute that it says it was given at, and how much."""

TELLINGS = st.lists(
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.sampled_from([1, 3, 12])), min_size=1, max_size=5
)
ORDERS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([60, 100, 150])), min_size=1, max_size=3)
"""Of the order: the minute at which it says it was placed, and its total."""


def both(number: int, telling: Telling) -> tuple[Event, Activity]:
    """One telling of a refund, as scoring reads it and as rewards hears of it."""
    refund, minute, amount = telling
    at, total = rewards.NOW + timedelta(minutes=minute), f"{amount}0.00"
    data = {"order_id": "1", "refund_id": f"r-{refund}", "total": total, "currency": "USD"}
    event = scoring.event("order.refunded", at, data, id=f"told-{number}")
    told = rewards.refund("1", f"r-{refund}", total, at=at)
    return event, named(told, event)


def named(told: Activity, event: Event) -> Activity:
    """The activity under the identity of the event."""
    return Activity(**{name: getattr(told, name) for name in told.__struct_fields__} | {"id": event.key})


def the_order(number: int, minute: int, total: int) -> tuple[Event, Activity]:
    """One telling of the order itself."""
    at = rewards.NOW + timedelta(minutes=minute)
    event = scoring.order(at, "1", f"{total}.00", id=f"the-order-{number}")
    return event, named(rewards.order("1", f"{total}.00", at=at), event)


def of_rewards(told: list[Activity]) -> tuple[Purchase, int, int]:
    """The order as rewards knows it, and the points that the customer has, and has earned."""
    member = rewards.Life().happen(*told).member
    return member.purchases["1"], member.available - member.debt, member.lifetime_earned


@settings(max_examples=400)
@given(orders=ORDERS, tellings=TELLINGS, data=st.data())
def test_of_several_tellings_rewards_and_the_profile_count_the_same_one(
    orders: list[tuple[int, int]], tellings: list[Telling], data: st.DataObject
) -> None:
    """Given an order, and refunds of it, told several times, at few moments and so often at one, with several amounts;
    when all of it comes in any order; then rewards take back what the profile says was given back, after each; and as
    of each step tell what was so then."""
    tells = [the_order(n, *each) for n, each in enumerate(orders)]
    tells += [both(n, each) for n, each in enumerate(tellings)]
    told = data.draw(st.permutations(tells))
    activities = [activity for _, activity in told]
    last, *_ = of_rewards(activities)
    for step in range(1, len(told) + 1):
        known = fold([event for event, _ in told[:step]], scoring.SETTINGS).book["1"]
        purchase, points, earned = of_rewards(activities[:step])
        net = max(decimal(known.net), 0) if known.placed_at is not None else 0
        assert purchase.net() == net
        assert points == earned == int(net)
        then = before(last, activities[:step], activities[step:])
        if then.placed_at is not None:
            assert then.net() == net


def test_what_a_refund_hid_of_a_later_telling_of_the_order_is_given_when_the_refund_proves_smaller() -> None:
    """Given an order of 60 dollars, refunded in full; when an earlier telling says 100 dollars, and one of the refund
    says 10; then 90 points are the customer's, as if all had come in time."""
    (order, refund), (earlier, smaller) = (
        (the_order(0, 1, 60), both(0, (1, 3, 12))),
        (the_order(1, 0, 100), both(1, (1, 1, 1))),
    )

    _, points, earned = of_rewards([each for _, each in (order, refund, earlier, smaller)])

    assert points == earned == 90
