"""Random histories of a few customers, told to the ledger and to a naive one, which are compared after every step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.rewards.domain.state.lots import lot_number
from shared.contracts.activity import Activity
from tests.support.naive_ledger import BIG_FROM, HAT, MUG, RESERVE_FOR, WELCOME, Bought, Held, Lines, Naive
from tests.unit.rewards.building import NOW, activity

few, some, many = st.integers(0, 3), st.integers(0, 15), st.integers(0, 255)
_examples = count(1)


Look = tuple[tuple[int, int, int, int], int, dict[int, tuple[int, int]]]
"""Available, pending, reserved, debt; what was earned; the points and the expired points of lots that have any."""


class Shop(Protocol):
    """The ledger under test."""

    def begin(self, pending_days: int) -> None:
        """Start anew, with the program that has so many days of waiting."""

    def happen(self, *told: Activity) -> None:
        """The stream brings these."""

    def reserve(self, id_: str, customer: str, points: int, order_id: str | None) -> str | None:
        """Put points aside; the code of the refusal, if it is refused."""

    def end(self, id_: str, what: str) -> str | None:
        """`confirm` or `release`."""

    def adjust(self, id_: str, customer: str, points: int) -> str | None:
        """By hand."""

    def set_time(self, now: datetime) -> None:
        """The clock."""

    def sweep(self) -> None:
        """Do all that is due."""

    def look(self, customers: list[str]) -> dict[str, Look]:
        """What these customers have; those that nobody has heard of are missing."""

    def prove(self) -> None:
        """Entries, lots and balances agree."""


class Histories(RuleBasedStateMachine):
    """One step is one thing that happens; each rule draws few small numbers, so that a thousand steps fit."""

    make: Callable[[], Shop]
    merging = False

    def __init__(self) -> None:
        super().__init__()
        self.shop = type(self).make()
        self.number, self.steps = next(_examples), 0
        self.now = NOW
        self.names = count(1)
        self.epoch = 0
        self.parted = False
        self.noticed = True
        self.customers = [f"cus_{self.number:08d}{'abcd'[n] * 16}" for n in range(4 if self.merging else 2)]
        self.told: list[Activity] = []
        self.pieces: dict[str, int] = {}

    @initialize(pending=st.sampled_from([0, 14]))
    def start(self, pending: int) -> None:
        """Points can be spent at once, or after 14 days."""
        self.shop.begin(pending)
        self.shop.set_time(self.now)
        self.naive = Naive(self.customers, pending)
        for customer in self.customers:  # nobody reserves for a customer of whom nothing was heard
            self.tell("login.recorded", customer, self.name("login"), self.now)

    # What customers do

    def name(self, what: str) -> str:
        """A name that nothing else has; later ones sort behind."""
        return f"{what}-{self.number:06d}-{next(self.names):06d}"

    def owner(self, part: str) -> str:
        """Under which id a part is known now."""
        return self.naive.whose(part)

    def tell(self, type_: str, part: str, name: str, at: datetime, **more: Any) -> Activity:
        """An activity of a part, as scoring tells it."""
        owner = self.owner(part)
        made = activity(type_, name, customer=owner, at=at, **more)
        if owner != part:
            fields = {field: getattr(made, field) for field in Activity.__struct_fields__}
            made = Activity(**fields | {"part": part})
        self.told.append(made)
        self.shop.happen(made)
        return made

    def order_of(self, part: str, which: int) -> tuple[str, Bought]:
        """One of a part's orders: the newest few, told or not, or one that nobody has heard of."""
        mine = [id_ for id_, order in self.naive.orders.items() if order.part == part]
        if which % 4 == 0 or not mine:
            order_id = self.name("order")
            self.naive.orders[order_id] = Bought(self.owner(part), part)
            return order_id, self.naive.orders[order_id]
        order_id = mine[-1 - (which % min(len(mine), 12))]
        return order_id, self.naive.orders[order_id]

    @rule(who=few, size=many, late=some)
    def buy(self, who: int, size: int, late: int) -> None:
        """An order; it may have happened days, or months ago."""
        self._telling(who, 0, size, late)

    @rule(who=few, which=some, size=many, late=some)
    def buy_again(self, who: int, which: int, size: int, late: int) -> None:
        """An order that is known already, told otherwise; or of which only a refund is known."""
        self._telling(who, which, size, late)

    def _telling(self, who: int, which: int, size: int, late: int) -> None:
        part = self.customers[who % len(self.customers)]
        order_id, order = self.order_of(part, which)
        name = self.name("telling")
        at = self.now - timedelta(days=max(late - 9, 0) * 12, hours=late, microseconds=self.steps)
        mugs, hats = size % 4, (size // 4) % 3
        lines = Lines(mugs, Decimal("4.35") * mugs, Decimal("3.10") * hats)
        total = lines.mug_money + lines.hat_money + Decimal(size // 12) / 4
        vip = int(order_id[-1]) % 2 == 0
        data: list[dict[str, Any]] = []
        data += [{"sku": MUG, "quantity": mugs, "unit_price": "4.35"}] if mugs else []
        data += [{"sku": HAT, "quantity": hats, "unit_price": "3.10"}] if hats else []
        made = self.tell(
            "order.completed",
            part,
            name,
            at,
            facts={"segments": ["vip"]} if vip else {},
            order_id=order_id,
            currency="USD",
            total=str(total),
            **({"lines": data} if data else {}),
        )
        if order.at is None or at < order.at:
            if order.at is None:  # fixed points are given by the first telling, or never
                order.lot, order.big = lot_number(made.id), total >= BIG_FROM
            order.at, order.total, order.lines, order.vip = at, total, lines, vip
            times = self.naive.times(at)
            self.naive.settle_order(order_id, self.now, times)
            self.noticed = self.noticed and times[1] > self.now  # what is over when it comes is noticed later

    @rule(who=few, which=some, size=many)
    def refund(self, who: int, which: int, size: int) -> None:
        """Some of an order comes back, all of it, or more; of one that is known or not; with lines or without."""
        part = self.customers[who % len(self.customers)]
        order_id, order = self.order_of(part, which)
        name = self.name("refund")
        full = size % 8 == 0
        amount = order.total if full else Decimal(size // 8) / 2
        pieces, told = 0, None
        if not full and size % 8 < 4:
            pieces = 1 + size % 2
            told = str(min(Decimal(3), amount)) if size % 8 == 3 else None
        line = {"sku": MUG, "quantity": pieces} | ({"amount": told} if told is not None else {})
        more = {"lines": [line]} if pieces else {}
        self.tell(
            "order.refunded",
            part,
            name,
            self.now,
            order_id=order_id,
            refund_id=name,
            total=str(amount),
            currency="USD",
            **more,
        )
        order.refunds[name] = (amount, pieces, Decimal(told) if told is not None else None)
        self.naive.settle_order(order_id, self.now)

    @rule(who=few, which=some)
    def cancel(self, who: int, which: int) -> None:
        """An order is called off."""
        part = self.customers[who % len(self.customers)]
        order_id, order = self.order_of(part, which)
        self.tell("order.cancelled", part, self.name("cancel"), self.now, order_id=order_id)
        order.cancelled = True
        self.naive.settle_order(order_id, self.now)

    @rule(which=some)
    def again(self, which: int) -> None:
        """Something told lately is delivered once more."""
        if self.told:
            self.shop.happen(self.told[-1 - which % min(len(self.told), 16)])

    @rule(who=few)
    def register(self, who: int) -> None:
        """A customer registers: welcome, once."""
        part = self.customers[who % len(self.customers)]
        if part in self.naive.welcomed or self.owner(part) != part or part in self.naive.merged.values():
            return
        made = self.tell("customer.registered", part, self.name("register"), self.now)
        self.naive.welcomed[part] = lot_number(made.id)
        self.naive.earned += WELCOME
        times = self.naive.times(self.now)
        self.naive.give(part, part, lot_number(made.id), WELCOME, times, self.now)

    # What happens at the checkout

    @rule(who=few, size=many, which=some)
    def reserve(self, who: int, size: int, which: int) -> None:
        """Points are put aside, for an order or not."""
        part = self.owner(self.customers[who % len(self.customers)])
        id_, order_id = self.name("red"), None
        points = 1 + size if size % 4 else max(self.naive.spendable(part, self.now) + size % 3 - 1, 1)
        if which % 2:
            order_id, order = self.order_of(part, which)
            expected = "order_cancelled" if order.undone() else None
        else:
            expected = None
        if expected is None and points > self.naive.spendable(part, self.now):
            expected = "insufficient_points"
        assert self.shop.reserve(id_, part, points, order_id) == expected
        if expected is None:
            self.naive.pass_to(self.now, part)
            for one in self.naive.of(part, "available")[:points]:
                one.where = id_
            self.naive.held[id_] = Held(id_, part, part, order_id, self.now + RESERVE_FOR)

    @rule(which=some, confirms=st.booleans())
    def end(self, which: int, confirms: bool) -> None:
        """A redemption is confirmed or released, also one that has ended already."""
        if not self.naive.held:
            return
        held = list(self.naive.held.values())[-1 - which % min(len(self.naive.held), 6)]
        expected = self._expected(held, confirms)
        assert self.shop.end(held.id, "confirm" if confirms else "release") == expected
        if expected is None and held.status == "reserved":
            if confirms:
                held.status = "confirmed"
            else:
                self.naive.pass_to(self.now, held.owner)
                self.naive.release(held)

    def _expected(self, held: Held, confirms: bool) -> str | None:
        if held.status == "reserved":
            return "redemption_expired" if confirms and held.until <= self.now else None
        if held.status == "confirmed":
            return None if confirms else "redemption_confirmed"
        return f"redemption_{held.status}" if confirms else None

    @rule(who=few, size=many)
    def adjust(self, who: int, size: int) -> None:
        """Points are given or taken by hand."""
        customer = self.owner(self.customers[who % len(self.customers)])
        points, id_ = size // 4 - 40, self.name("adj")
        if not points:
            return
        expected = "insufficient_points" if -points > self.naive.spendable(customer, self.now) else None
        if points > 0:
            expected = None
        assert self.shop.adjust(id_, customer, points) == expected
        if expected is None:
            self.naive.pass_to(self.now, customer)
            if points > 0:
                times = self.naive.times(self.now, waits=False)
                self.naive.give(customer, customer, lot_number(id_), points, times, self.now)
            else:
                self.naive.lose(self.naive.of(customer, "available")[:-points])

    # What time and the identity of customers bring

    @rule(size=some)
    def wait(self, size: int) -> None:
        """Minutes pass, or days, or nobody is at work for weeks; then all that is due is done."""
        self.now += [timedelta(minutes=10), timedelta(minutes=30), timedelta(days=1), timedelta(days=4)][
            size % 4
        ]
        if size == 15:
            self.now += timedelta(days=80)
        self.shop.set_time(self.now)
        self.shop.sweep()
        self.naive.pass_to(self.now)
        self.noticed = True

    @rule(size=some)
    def wait_unnoticed(self, size: int) -> None:
        """Time passes, and nobody has done yet what it made due: it must come to the same."""
        self.now += [timedelta(minutes=10), timedelta(hours=8), timedelta(days=1), timedelta(days=21)][
            size % 4
        ]
        self.shop.set_time(self.now)
        self.noticed = False

    def alone(self) -> list[str]:
        """Customers who are not merged with anybody."""
        merged = {*self.naive.merged, *self.naive.merged.values()}
        return [one for one in self.customers if one not in merged]

    @precondition(lambda self: self.merging and self.alone() and self.steps % 4 == 0)
    @rule(who=few, into=few)
    def merge(self, who: int, into: int) -> None:
        """Two customers prove to be one."""
        source = self.alone()[who % len(self.alone())]
        targets = [one for one in self.customers if self.owner(one) == one and one != source]
        target = targets[into % len(targets)]
        self.epoch += 1
        data = {"from": source, "parts": [source], "epoch": self.epoch}
        made = activity("customer.merged", self.name("merge"), customer=target, at=self.now, **data)
        self.told.append(made)
        self.shop.happen(made)
        self.naive.merge(source, target, made.id, self.now)

    @precondition(lambda self: self.merging and self.naive.merged and self.steps % 4 == 1)
    @rule(who=few)
    def unmerge(self, who: int) -> None:
        """They were two after all."""
        part = list(self.naive.merged)[who % len(self.naive.merged)]
        self.parted = True
        self.epoch += 1
        data = {"from": self.owner(part), "parts": [part], "epoch": self.epoch}
        made = activity("customer.unmerged", self.name("unmerge"), customer=part, at=self.now, **data)
        self.told.append(made)
        self.shop.happen(made)
        self.naive.unmerge(part, made.id, self.now)

    @invariant()
    def agree(self) -> None:
        """Both have the same everywhere, and nobody has fewer than no points, or points and a debt."""
        self.steps += 1
        if not self.noticed:
            return
        found = self.shop.look(self.customers)
        for customer in self.customers:
            balances, _, lots = found.get(customer, ((0, 0, 0, 0), 0, {}))
            assert balances == self.naive.totals(customer), self.differences(customer, lots)
            assert lots == self.naive.by_lot(customer), self.differences(customer, lots)
            assert min(balances) >= 0
            assert not (balances[0] and balances[3])
        if not self.parted:  # then a known limit: see "Merges" in docs/ledger.md
            assert sum(one[1] for one in found.values()) == self.naive.earned
        if self.steps % 25 == 0:
            self.shop.prove()

    def differences(self, customer: str, lots: dict[int, tuple[int, int]]) -> str:
        """By lot what is found, and what should be."""
        said = self.naive.by_lot(customer)
        other = {
            lot: (lots.get(lot), said.get(lot)) for lot in {*lots, *said} if lots.get(lot) != said.get(lot)
        }
        found = self.shop.look([customer]).get(customer)
        balances = f"{found[0] if found else None} instead of {self.naive.totals(customer)}"
        return f"{customer}, now {self.now}: {balances}, by lot {other}"

    def teardown(self) -> None:
        """In the end everything adds up."""
        if hasattr(self, "naive"):
            self.wait(0)
            self.agree()
            self.shop.prove()
