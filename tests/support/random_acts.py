"""Random lives of three customers as a list of acts: what the stream brings, what is asked, and when.

Unlike `random_histories` nothing here knows what should come of it, and so the acts may be anything: batches, points
that last by activity, orders told late and otherwise, refunds told again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from services.rewards.application.spending.checkout import Confirm, Release, Request, Reserve
from services.rewards.domain.spending.carts import Cart
from shared.contracts.activity import Activity
from tests.unit.rewards.building import NOW, activity

CUSTOMERS = tuple(f"cus_{letter * 24}" for letter in "abc")
PENDING_DAYS = (0, 3, 9)
RENEWED_BY = ("", "renewed_by: [login.recorded]", "renewed_by: [login.recorded, order.completed]")
PROGRAM = """
name: Random acts
currency: USD
time_zone: America/New_York
points:
  expire_after: P20D
  notice_before: P5D
  pending_for: P{pending}D
  {renewed_by}
  earn:
    - {{id: purchase, on: order.completed, points_per_unit: 1}}
    - {{id: big,      on: order.completed, points: 30, minimum_order: 20}}
    - {{id: review,   on: review.posted,   points: 7}}
  redeem: {{points: 100, value: 1.00, minimum: 1}}
"""
"""Points soon end, and so some always do."""

RESENT = 20
"""Only of so many activities one is sent again."""


@dataclass(frozen=True, slots=True)
class Happen:
    """The stream brings a batch."""

    activities: tuple[Activity, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """The checkout gets a batch."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Adjust:
    """Points are given or taken by hand."""

    id: str
    customer: str
    points: int


@dataclass(frozen=True, slots=True)
class Wait:
    """It becomes later; nothing that is due is done yet."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Sweep:
    """All that is due is done."""


Act = Happen | Ask | Adjust | Wait | Sweep


@dataclass
class RandomActs:
    """The acts of one chance; `merging`: customers also prove to be one, and to be two after all."""

    random: Random
    merging: bool
    now: datetime = NOW
    merged: dict[str, str] = field(default_factory=dict)
    """By customer whom they were merged into."""
    orders: dict[str, list[str]] = field(default_factory=lambda: {one: [] for one in CUSTOMERS})
    refunds: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: {one: [] for one in CUSTOMERS})
    """By customer (order id, refund id)."""
    redemptions: list[str] = field(default_factory=list)
    told: list[Activity] = field(default_factory=list)
    epoch: int = 0
    numbers: Iterator[int] = field(default_factory=count)

    def program(self) -> str:
        """A program for this life."""
        pending, renewed_by = self.random.choice(PENDING_DAYS), self.random.choice(RENEWED_BY)
        return PROGRAM.format(pending=pending, renewed_by=renewed_by)

    def acts(self, steps: int) -> Iterator[Act]:
        """So many acts, after all customers were heard of once: nobody reserves for a stranger."""
        yield Happen(tuple(self._activity("login.recorded", one, self.now) for one in CUSTOMERS))
        kinds: dict[Callable[[], Act | None], int] = {
            self._batch: 8, self._ask: 6, self._wait: 6, self._adjust: 3, Sweep: 1
        }  # fmt: skip
        if self.merging:
            kinds |= {self._merge: 1, self._unmerge: 1}
        while steps:
            (kind,) = self.random.choices(list(kinds), list(kinds.values()))
            if (act := kind()) is not None:
                yield act
                steps -= 1

    def _name(self, what: str) -> str:
        """A new name; in which order names sort is chance."""
        return f"{self.random.getrandbits(64):016x}-{what}-{next(self.numbers)}"

    def _owner(self, part: str) -> str:
        return self.merged.get(part, part)

    # What the stream brings

    def _activity(self, type_: str, part: str, at: datetime, **data: Any) -> Activity:
        """As scoring tells it of a customer, or of whom they are a part."""
        made = activity(type_, self._name(type_), customer=self._owner(part), at=at, **data)
        if part in self.merged:
            fields = {name: getattr(made, name) for name in Activity.__struct_fields__}
            made = Activity(**fields | {"part": part})
        self.told.append(made)
        return made

    def _batch(self) -> Happen:
        kinds = {
            self._order: 6,
            self._refund: 4,
            self._review: 2,
            self._order_again: 1,
            self._refund_again: 1,
            self._cancel: 1,
            self._login: 1,
            self._resent: 1,
        }
        chosen = self.random.choices(list(kinds), list(kinds.values()), k=self.random.choice((1, 1, 3, 6)))
        parts = self.random.choice((CUSTOMERS, CUSTOMERS[:1]))  # often several about one customer
        return Happen(tuple(tell(self.random.choice(parts), self._then()) for tell in chosen))

    def _then(self) -> datetime:
        """Mostly today, also long ago."""
        days = self.random.choice((0, 0, 0, 0, 1, 4, 12, 22, 40))
        return self.now - timedelta(days=days, minutes=self.random.randint(0, 600))

    def _some_order(self, part: str) -> str:
        """One of a customer's newest, or one that nobody has heard of."""
        mine = self.orders[part]
        if not mine or self.random.random() < 0.1:
            mine.append(f"o{next(self.numbers)}")
            return mine[-1]
        return self.random.choice(mine[-12:])

    def _order(self, part: str, at: datetime) -> Activity:
        self.orders[part].append(f"o{next(self.numbers)}")
        return self._ordered(part, at, self.orders[part][-1])

    def _order_again(self, part: str, at: datetime) -> Activity:
        return self._ordered(part, at, self._some_order(part))

    def _ordered(self, part: str, at: datetime, order_id: str) -> Activity:
        total = str(self.random.randint(0, 80))
        return self._activity("order.completed", part, at, order_id=order_id, total=total, currency="USD")

    def _refund(self, part: str, at: datetime) -> Activity:
        self.refunds[part].append((self._some_order(part), f"r{next(self.numbers)}"))
        return self._refunded(part, at, *self.refunds[part][-1])

    def _refund_again(self, part: str, at: datetime) -> Activity:
        if not self.refunds[part]:
            return self._refund(part, at)
        return self._refunded(part, at, *self.random.choice(self.refunds[part][-8:]))

    def _refunded(self, part: str, at: datetime, order_id: str, refund_id: str) -> Activity:
        total = str(self.random.choice((0, 5, 20, 60, 80, 100)))
        data = {"order_id": order_id, "refund_id": refund_id, "total": total, "currency": "USD"}
        return self._activity("order.refunded", part, at, **data)

    def _cancel(self, part: str, at: datetime) -> Activity:
        return self._activity("order.cancelled", part, at, order_id=self._some_order(part))

    def _review(self, part: str, at: datetime) -> Activity:
        return self._activity("review.posted", part, at, rating=5, text="x")

    def _login(self, part: str, at: datetime) -> Activity:
        return self._activity("login.recorded", part, at)

    def _resent(self, part: str, at: datetime) -> Activity:  # as it was the first time
        return self.random.choice(self.told[-RESENT:])

    def _merge(self) -> Happen | None:
        """Somebody who was not merged becomes a part of somebody who is no part."""
        alone = [one for one in CUSTOMERS if one not in {*self.merged, *self.merged.values()}]
        if not alone:
            return None
        source = self.random.choice(alone)
        target = self.random.choice([one for one in CUSTOMERS if one != source and one not in self.merged])
        moved = Happen((self._parting("customer.merged", source, target, source),))
        self.merged[source] = target
        return moved

    def _unmerge(self) -> Happen | None:
        if not self.merged:
            return None
        part = self.random.choice(list(self.merged))
        return Happen((self._parting("customer.unmerged", self.merged.pop(part), part, part),))

    def _parting(self, type_: str, source: str, target: str, part: str) -> Activity:
        self.epoch += 1
        data = {"from": source, "parts": [part], "epoch": self.epoch}
        return activity(type_, self._name(type_), customer=target, at=self.now, **data)

    # What is asked, and time

    def _ask(self) -> Ask:
        """Some requests about points and the newest redemptions; about one redemption only one at once."""
        asked: dict[str, Request] = {}
        for _ in range(self.random.choice((1, 1, 2, 4))):
            made = self.random.choice(
                (self._reserve, self._reserve, self._confirm, self._confirm, self._release)
            )()
            asked.setdefault(made.id, made)
        return Ask(tuple(asked.values()))

    def _reserve(self) -> Reserve:
        part, id_ = self.random.choice(CUSTOMERS), self._name("red")
        self.redemptions.append(id_)
        order = self._some_order(part) if self.random.random() < 0.6 else None
        cart = Cart(order_id=order, total=None, currency=None)
        points = self.random.choice((3, 10, 40, 90, 150, 250))
        return Reserve(id_, self._owner(part), points, cart, "test", id_, b"h")

    def _confirm(self) -> Request:
        return Confirm(self.random.choice(self.redemptions[-4:])) if self.redemptions else self._reserve()

    def _release(self) -> Request:
        return Release(self.random.choice(self.redemptions[-4:])) if self.redemptions else self._reserve()

    def _adjust(self) -> Adjust:
        customer = self._owner(self.random.choice(CUSTOMERS))
        return Adjust(self._name("adj"), customer, self.random.choice((-150, -60, -20, -5, 5, 25)))

    def _wait(self) -> Wait:
        waits = (timedelta(minutes=10), timedelta(hours=8), timedelta(days=1), timedelta(days=5))
        self.now += self.random.choice(waits)
        return Wait(self.now)
