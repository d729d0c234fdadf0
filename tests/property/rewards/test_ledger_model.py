"""The ledger against a naive model that knows no lots and no entries, only single points, each with its own fate."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rewards.domain.points import adjusting
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending import checkout
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.redemptions import Redemption
from shared.contracts.activity import Activity
from tests.property.rewards.test_ledger import check
from tests.unit.rewards.building import PROGRAM, Life, cancellation, order, refund, rulebook

NEW_YORK = ZoneInfo("America/New_York")
SHORT = rulebook(
    PROGRAM.replace("expire_after: P12M", "expire_after: P2M\n  pending_for: P14D").replace(
        "minimum: 100", "minimum: 1"
    )
)
STEPS = 1000


@dataclass(slots=True, eq=False)
class Point:
    """One point: where it is (`pending`, `available`, `expired`, `gone`, or the redemption that holds it)."""

    batch: int
    available_at: datetime
    expires_at: datetime
    where: str = "pending"


class Naive:
    """What a customer has, one point at a time."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.debt = 0
        self.orders: dict[str, list[int]] = {}  # number of the batch, total, refunded, earned and kept
        self.redeemed: set[str] = set()

    def there(self, where: str) -> list[Point]:
        """The points in a place, those first that expire first."""
        return sorted((p for p in self.points if p.where == where), key=lambda p: (p.expires_at, p.batch))

    def earn(self, count: int, batch: int, now: datetime, *, at_once: bool = False) -> None:
        """New points, to be spent after 14 days, or at once."""
        ready = (now.astimezone(NEW_YORK) + timedelta(days=0 if at_once else 14)).astimezone(UTC)
        last = ready.astimezone(NEW_YORK).date() + relativedelta(months=2)
        end = datetime.combine(last + timedelta(days=1), time(), NEW_YORK)
        where = "available" if at_once else "pending"
        self.points += [Point(batch, ready, end, where) for _ in range(count)]
        self.pay()

    def pay(self) -> None:
        """Available points pay what is owed."""
        for point in self.there("available")[: self.debt]:
            point.where = "gone"
            self.debt -= 1

    def pass_to(self, now: datetime) -> None:
        """What has waited long enough can be spent; what is past its day is gone."""
        for point in self.points:
            if point.where == "pending" and point.available_at <= now:
                point.where = "available"
        self.pay()
        for point in self.points:
            if point.where == "available" and point.expires_at <= now:
                point.where = "expired"

    def keep(self, order_id: str, kept: int) -> None:
        """Of an order's points only so many are still deserved."""
        batch, *_, had = self.orders[order_id]
        back = had - kept
        self.orders[order_id][-1] = kept
        own = [p for p in self.points if p.batch == batch and p.where in {"pending", "available"}]
        expired = [p for p in self.points if p.batch == batch and p.where == "expired"]
        for point in [*own, *expired, *(p for p in self.there("available") if p.batch != batch)][:back]:
            point.where = "gone"
            back -= 1
        self.debt += back


class Both:
    """Does to the ledger and to the model the same, and compares them after every step."""

    def __init__(self) -> None:
        self.life = Life(SHORT)
        self.naive = Naive()
        self.count = 0
        self.open: list[Redemption] = []

    def name(self, what: str) -> str:
        """A name that nothing else has."""
        self.count += 1
        return f"{what}-{self.count}"

    def happen(self, activity: Activity) -> None:
        """Let the ledger decide."""
        self.life.happen(activity)

    def order(self, total: int) -> None:
        """A customer buys."""
        name = self.name("order")
        told = order(name, str(total), name=name, at=self.life.now)
        self.happen(told)
        batch = lot_number(told.id)
        self.naive.orders[name] = [batch, total, 0, total]
        self.naive.earn(total, batch, self.life.now)

    def refund(self, which: int, amount: int) -> None:
        """Part of an order is given back, or more than all of it."""
        if not self.naive.orders:
            return
        order_id = list(self.naive.orders)[which % len(self.naive.orders)]
        self.happen(refund(order_id, self.name("refund"), str(amount), at=self.life.now))
        known = self.naive.orders[order_id]
        known[2] += amount
        self.naive.keep(order_id, min(known[3], max(known[1] - known[2], 0)))

    def cancel(self, which: int) -> None:
        """An order is cancelled."""
        if not self.naive.orders:
            return
        order_id = list(self.naive.orders)[which % len(self.naive.orders)]
        self.happen(cancellation(order_id, name=self.name("cancel"), at=self.life.now))
        self.naive.orders[order_id][2] = 10**9
        self.naive.keep(order_id, 0)

    def reserve(self, points: int) -> None:
        """Points are put aside, if there are enough."""
        name = self.name("redemption")
        there = self.naive.there("available")
        try:
            made = checkout.reserve(
                self.life.member, SHORT.program, self.life.changes, id_=name, points=points, order_id=None
            )
        except RefusedError:
            assert points > len(there)
            return
        self.open.append(made)
        for point in there[:points]:
            point.where = name

    def end(self, which: int, confirmed: bool) -> None:
        """A redemption is confirmed, or released."""
        if not self.open:
            return
        redemption = self.open.pop(which % len(self.open))
        redemption.expires_at = self.life.now + timedelta(minutes=30)
        end = checkout.confirm if confirmed else checkout.release
        end(self.life.member, redemption, self.life.changes)
        for point in self.naive.points:
            if point.where == redemption.id:
                point.where = "gone" if confirmed else "available"
        self.naive.pay()
        self.wait(0)

    def adjust(self, points: int) -> None:
        """Somebody gives or takes points by hand."""
        name = self.name("adjustment")
        there = self.naive.there("available")
        try:
            adjusting.adjust(
                self.life.member, SHORT.program, self.life.changes, id_=name, points=points, reason="x"
            )
        except RefusedError:
            assert -points > len(there) - self.naive.debt
            return
        if points > 0:
            self.naive.earn(points, lot_number(name), self.life.now, at_once=True)
        for point in there[: max(-points, 0)]:
            point.where = "gone"

    def wait(self, days: int) -> None:
        """Days pass, and what they make due is done each day."""
        for length in [timedelta()] + [timedelta(days=1)] * days:
            self.life.wait(length)
            self.naive.pass_to(self.life.now)

    def the_same(self) -> None:
        """Both have the same everywhere."""
        member, naive = self.life.member, self.naive
        places = [point.where for point in naive.points]
        assert (member.available, member.pending, member.debt) == (
            places.count("available"),
            places.count("pending"),
            naive.debt,
        )
        assert member.reserved == sum(redemption.points for redemption in self.open)
        assert sum(lot.expired for lot in member.lots.values()) == places.count("expired")

    def step(self, random: Random) -> None:
        """Something happens."""
        match random.choice(
            ("order", "order", "refund", "cancel", "reserve", "end", "adjust", "wait", "wait")
        ):
            case "order":
                self.order(random.randint(0, 90))
            case "refund":
                self.refund(random.randrange(10_000), random.randint(1, 60))
            case "cancel" if random.random() < 0.3:
                self.cancel(random.randrange(10_000))
            case "reserve":
                self.reserve(random.randint(1, 120))
            case "end":
                self.end(random.randrange(10_000), random.random() < 0.5)
            case "adjust":
                self.adjust(random.choice((-1, 1)) * random.randint(1, 50))
            case _:
                self.wait(random.randint(0, 6))


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_the_ledger_has_what_single_points_have(seed: int) -> None:
    """Given a thousand random orders, refunds, cancellations, redemptions, adjustments and days; after each; then the
    ledger has in every account what a model of single points has there, and in the end everything adds up."""
    both, random = Both(), Random(seed)
    for _ in range(STEPS):
        both.step(random)
        both.the_same()
    check(both.life)
