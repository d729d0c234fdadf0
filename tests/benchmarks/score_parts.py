"""What the score costs: each part of it, and the whole after an event, by what the customer has in their life.

python -m tests.benchmarks.score_parts
"""

import time
from collections.abc import Callable
from typing import Any

from services.scoring.domain.assess import assess, score_at, view_at
from services.scoring.domain.event import Event
from services.scoring.domain.explaining.story import tell_story
from services.scoring.domain.fold.evolve import fold
from tests.support.life import SETTINGS, event, moment, order

BESIDE_ORDERS: dict[str, dict[str, Any]] = {
    "login.recorded": {},
    "email.opened": {},
    "subscription.renewed": {"subscription_id": "s"},
    "survey.answered": {"kind": "nps", "score": 8},
    "review.posted": {"rating": 5},
    "referral.made": {},
    "ticket.opened": {"ticket_id": "t"},
    "ticket.resolved": {"ticket_id": "t"},
    "order.delivered": {"order_id": "1", "days_late": 2},
}
"""What customers do beside ordering: so much that every part of the score but sentiment has something to say."""

ROUNDS = 200
CALLS = 300


def orders_only() -> list[Event]:
    """Forty orders with lines in a year."""
    lines = [{"sku": sku, "quantity": 1, "unit_price": "1.00", "category": "c"} for sku in ("a", "b")]
    data = {"currency": "USD", "total": "49.20", "lines": lines}
    return [
        event("order.completed", moment(9 * number), {"order_id": str(number), **data})
        for number in range(40)
    ]


def mixed() -> list[Event]:
    """The same with a bit of everything, so that every part but sentiment has something to say."""
    others = [
        event(kind, moment(9 * turn + 1, minutes=number), {**data})
        for turn in range(0, 40, 4)
        for number, (kind, data) in enumerate(BESIDE_ORDERS.items())
    ]
    return sorted([*orders_only(), *others], key=lambda one: (one.at, one.key))


def cost_us(call: Callable[[], object]) -> float:
    """Microseconds of CPU per call, the best of many rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time_ns()
        for _ in range(CALLS):
            call()
        best = min(best, (time.process_time_ns() - begun) / CALLS)
    return best / 1000


def main() -> None:
    """Print the figures."""
    now = moment(365)
    for name, life in (("orders only", orders_only()), ("mixed", mixed())):
        state = fold(life, SETTINGS).state
        print(f"{name}: {len(life)} events")
        print(f"  assess {cost_us(lambda: assess(state, now, SETTINGS)):6.2f} us")  # noqa: B023  # called at once
        print(f"  score  {cost_us(lambda: score_at(state, now, SETTINGS)):6.2f} us")  # noqa: B023
    view = view_at(fold(mixed(), SETTINGS).state, now, SETTINGS)
    for weighed in SETTINGS.plan.parts:
        part = weighed.part
        assert part is not None
        print(f"  {weighed.name:13} {cost_us(lambda: part.measure(view)):6.2f} us")  # noqa: B023
    long = [order(moment(number / 10), str(number)) for number in range(10_000)]
    begun = time.process_time()
    tell_story(long, moment(1000), SETTINGS)
    print(f"the story of 10,000 orders, 300 of them in the last 30 days: {time.process_time() - begun:.2f} s")


if __name__ == "__main__":
    main()
