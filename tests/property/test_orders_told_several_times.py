"""An order that is told several times, each time otherwise, comes to the same for rewards as in the profile."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.state.purchases import Purchase
from services.rewards.domain.tiering.past_orders import before
from services.scoring.domain.event import Event
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.money import decimal
from services.scoring.domain.state.orders import Order
from shared.contracts.activity import Activity
from tests.support import life as scoring
from tests.unit.rewards import building as rewards

Telling = tuple[int, int]
"""The minute that it says the order was placed at, and the total."""

TELLINGS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), min_size=1, max_size=6)


def both(number: int, telling: Telling) -> tuple[Event, Activity]:
    """One telling of the order, as scoring reads it and as rewards hears of it."""
    at, total = rewards.NOW + timedelta(minutes=telling[0]), f"{telling[1]}0.00"
    event = scoring.order(at, "1", total, id=f"told-{number}")
    told = rewards.order("1", total, at=at)
    return event, Activity(
        **{name: getattr(told, name) for name in told.__struct_fields__} | {"id": event.key}
    )


def of_profile(events: list[Event]) -> Order:
    """The order as scoring knows it."""
    return fold(events, scoring.SETTINGS).book["1"]


def of_rewards(told: list[Activity]) -> tuple[Purchase, int]:
    """The order as rewards knows it, and the points that the customer has."""
    member = rewards.Life().happen(*told).member
    assert member.available == member.lifetime_earned
    return member.purchases["1"], member.available


@settings(max_examples=200)
@given(tellings=TELLINGS, data=st.data())
def test_of_several_tellings_rewards_and_the_profile_count_the_same_one(
    tellings: list[Telling], data: st.DataObject
) -> None:
    """Given an order told several times, at few moments and so often at one, with several totals; when the tellings
    come in any order; then rewards count the one that the profile counts, and give its points; and as of each step
    tell what was so then."""
    told = data.draw(st.permutations([both(number, each) for number, each in enumerate(tellings)]))
    activities = [activity for _, activity in told]
    last, _ = of_rewards(activities)
    for step in range(1, len(told) + 1):
        known = of_profile([event for event, _ in told[:step]])
        purchase, points = of_rewards(activities[:step])
        assert (purchase.placed_at, purchase.total) == (known.placed_at, decimal(known.total))
        assert points == int(purchase.total)
        then = before(last, activities[:step], activities[step:])
        assert (then.placed_at, then.total) == (purchase.placed_at, purchase.total)
