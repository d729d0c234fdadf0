"""What the clients of a fault round do, and what must come of it, both from one seed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import Any

WELCOME_POINTS = 100
REDEEM_MINIMUM = 100

PROGRAM = f"""\
name: Program of the fault rounds
currency: USD
time_zone: America/New_York
points:
  earn:
    - {{id: welcome, on: customer.registered, points: {WELCOME_POINTS}}}
    - {{id: purchase, on: order.completed, points_per_unit: 1}}
  redeem: {{points: 100, value: 1.00, minimum: {REDEEM_MINIMUM}}}
tiers:
  basis: {{spend_over: P12M}}
  levels:
    - {{id: member, name: Member}}
    - {{id: gold, name: Gold, at: 200.01, keep_for: P12M}}
offers:
  fifth: {{gift: tote-bag, valid_for: P60D}}
milestones:
  - {{id: fifth-purchase, when: "customer.orders == 5", offer: fifth}}
campaigns:
  - {{id: hello, on: customer.registered, do: [{{message: hello}}]}}
templates:
  hello: {{subject: Hello, text: Good that you are here, purpose: service}}
"""


@dataclass(frozen=True)
class Post:
    """Post these events in one call."""

    events: list[dict[str, Any]]


@dataclass(frozen=True)
class Redeem:
    """Reserve points, then confirm or release them."""

    customer: str
    points: int
    key: str
    confirm: bool


Step = Post | Redeem


@dataclass
class Expected:
    """What one customer must look like in the end."""

    events: set[str] = field(default_factory=set)
    totals: dict[str, Decimal] = field(default_factory=dict)
    refunds: dict[str, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    registered: bool = False
    letters: int | None = None
    """How many letters they get; None where their address came after the cause, perhaps too late."""
    redeemed: int = 0

    def net(self, order: str) -> Decimal:
        """What was paid for an order less what was given back; never below zero."""
        return max(self.totals[order] - sum(self.refunds[order].values()), Decimal(0))

    @property
    def spend(self) -> Decimal:
        """Over all orders."""
        return sum((self.net(order) for order in self.totals), Decimal(0))

    @property
    def points(self) -> int:
        """Earned, less taken back, less spent."""
        earned = sum(int(self.net(order).to_integral_value(ROUND_DOWN)) for order in self.totals)
        return earned + (WELCOME_POINTS if self.registered else 0) - self.redeemed


NEW_CUSTOMER = 0.03
"""Of the events, so many bring a customer in the place of another."""


class Workload:
    """A stream of steps for one client, over customers that no other client touches.

    They are known by a shop id, or an e-mail address, or both: whoever was known by one and then by the other was two
    customers until then, with events of both on their way in different partitions.
    """

    def __init__(self, seed: int, client: int, customers: int = 6) -> None:
        self._random = Random(f"{seed}/{client}")
        self._client = client
        self._names = [f"c-{client}-{number}" for number in range(customers)]
        self._newest = customers
        self._numbers = 0
        self._now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)
        self._sent: list[dict[str, Any]] = []
        self.expected: dict[str, Expected] = {}

    def steps(self) -> Iterator[Step]:
        """Steps without end. The model already holds the events of a step when it is given out."""
        while True:
            if self._random.random() < 0.15 and self.expected:
                yield self._redeem()
            else:
                yield Post([self._event() for _ in range(self._random.choice((1, 1, 2, 5, 20)))])

    def closing(self) -> list[dict[str, Any]]:
        """The last events: after them everybody is known to be one customer."""
        return [self._make(name, "customer.identified", {"customer": _both(name)}) for name in self.expected]

    def _redeem(self) -> Redeem:
        customer = self._random.choice(sorted(self.expected))
        self._numbers += 1
        return Redeem(
            customer,
            self._random.choice((100, 150, 300)),
            f"{customer}-{self._numbers}",
            confirm=self._random.random() < 0.7,
        )

    def _event(self) -> dict[str, Any]:
        if self._sent and self._random.random() < 0.1:
            return self._random.choice(self._sent)  # the same event once more
        if self._random.random() < NEW_CUSTOMER:
            self._newest += 1
            self._random.shuffle(self._names)
            self._names[0] = f"c-{self._client}-{self._newest}"
        customer = self._random.choice(self._names)
        seen = self.expected.setdefault(customer, Expected())
        self._numbers += 1
        self._now = min(self._now + timedelta(seconds=self._random.choice((1, 10, 60))), datetime.now(UTC))
        both = _both(customer)
        kind = self._random.choice(("id", "email", "both"))
        who = both if kind == "both" else {kind: both[kind]}
        orders = sorted(seen.totals)
        if not seen.registered:
            seen.registered = True
            seen.letters = None if kind == "id" else 1
            event = self._make(customer, "customer.registered", {"customer": who})
        elif orders and self._random.random() < 0.15:
            order = self._random.choice(orders)
            amount = (seen.totals[order] / self._random.choice((1, 2, 3))).quantize(Decimal("0.01"))
            refund = f"refund-{self._numbers}"
            seen.refunds[order][refund] = amount
            data = {"customer": who, "order_id": order, "refund_id": refund, "total": str(amount)}
            event = self._make(customer, "order.refunded", data)
        else:
            order = f"{customer}-order-{self._numbers}"
            seen.totals[order] = Decimal(self._random.randint(100, 9_999)) / 100
            data = {"customer": who, "order_id": order, "currency": "USD", "total": str(seen.totals[order])}
            event = self._make(customer, "order.completed", data)
        self._sent.append(event)
        return event

    def _make(self, customer: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        self._numbers += 1
        event_id = f"{customer}-{self._numbers}"
        self.expected[customer].events.add(event_id)
        return {"id": event_id, "source": "faults", "type": kind, "time": self._now.isoformat(), "data": data}


def _both(customer: str) -> dict[str, str]:
    return {"id": customer, "email": f"{customer}@example.com"}
