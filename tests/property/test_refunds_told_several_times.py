"""A refund that is told several times, each time otherwise, comes to the same for rewards as in the profile."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.earning.purchases import Purchase
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
    st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 12)), min_size=1, max_size=5
)
TOTAL = "100.00"


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


def the_order() -> tuple[Event, Activity]:
    """The order itself."""
    event = scoring.order(rewards.NOW, "1", TOTAL, id="the-order")
    return event, named(rewards.order("1", TOTAL, at=rewards.NOW), event)


def of_rewards(told: list[Activity]) -> tuple[Purchase, int, int]:
    """The order as rewards knows it, and the points that the customer has, and has earned."""
    member = rewards.Life().happen(*told).member
    return member.purchases["1"], member.available - member.debt, member.lifetime_earned


@settings(max_examples=200)
@given(tellings=TELLINGS, data=st.data())
def test_of_several_tellings_rewards_and_the_profile_count_the_same_one(
    tellings: list[Telling], data: st.DataObject
) -> None:
    """Given an order, and refunds of it told several times, at few moments and so often at one, with several amounts;
    when all of it comes in any order; then rewards take back what the profile says was given back, after each; and as
    of each step tell what was so then."""
    told = data.draw(st.permutations([the_order(), *(both(n, each) for n, each in enumerate(tellings))]))
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
