"""A naive ledger for tests: single points and orders, each with its own fate, by the words of docs/ledger.md.

It knows no entries, no balances, nothing of what the service's code does beside the names of lots (which of two lots
of one end is taken first goes by their numbers). Slow and plain on purpose.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from services.rewards.domain.state.lots import lot_number

ZONE = ZoneInfo("America/New_York")
MUG, HAT = "MUG", "HAT"
WELCOME, BIG = 100, 30
BIG_FROM = Decimal(20)
RESERVE_FOR = timedelta(minutes=30)
EXPIRE_AFTER = relativedelta(months=2)

PROGRAM = """
name: Random histories
currency: USD
time_zone: America/New_York
points:
  expire_after: P2M
  pending_for: P{pending}D
  earn:
    - {{id: welcome,  on: customer.registered, points: 100}}
    - {{id: purchase, on: order.completed, points_per_unit: 1}}
    - {{id: mugs,     on: order.completed, points_per_unit: 2, products: [MUG]}}
    - {{id: vip,      on: order.completed, multiply: 1.5, when: "customer.in_segment('vip')"}}
    - {{id: big,      on: order.completed, points: 30, minimum_order: 20}}
  redeem: {{points: 100, value: 1.00, minimum: 1}}
segments:
  vip: "customer.spend_30d >= 500"
"""


@dataclass(slots=True, eq=False)
class Point:
    """One point: whose, of which lot, from and until when it can be spent, and where it is: `pending`, `available`,
    `expired`, or the id of the redemption that holds it."""

    owner: str
    part: str
    lot: int
    ready: datetime
    end: datetime
    where: str


@dataclass(slots=True)
class Lines:
    """What an order is made of: pieces and money of mugs, money of hats."""

    mugs: int = 0
    mug_money: Decimal = Decimal(0)
    hat_money: Decimal = Decimal(0)


@dataclass(slots=True)
class Bought:
    """An order: the telling that counts, what came back, what its rules have given and not lost."""

    owner: str
    part: str
    at: datetime | None = None
    lot: int = 0
    named: int = 0
    total: Decimal = Decimal(0)
    lines: Lines = field(default_factory=Lines)
    vip: bool = False
    big: bool = False
    refunds: dict[str, tuple[Decimal, int, Decimal | None]] = field(default_factory=dict)
    cancelled: bool = False
    had: dict[str, int] = field(default_factory=dict)

    def net(self) -> Decimal:
        """What is left of it."""
        back = sum((amount for amount, _, _ in self.refunds.values()), Decimal(0))
        return Decimal(0) if self.cancelled else max(self.total - back, Decimal(0))

    def undone(self) -> bool:
        """Cancelled, or refunded in full."""
        return self.cancelled or (self.total > 0 and bool(self.refunds) and self.net() == 0)

    def due(self) -> dict[str, int]:
        """What its rules give for what is left, rounded down once per rule."""
        if self.at is None:
            return {}
        units = floor(self.net())
        mugs = floor(2 * self.left_of_mugs())
        big = BIG if self.big and self.net() >= BIG_FROM else 0
        return {
            "purchase": units,
            "mugs": mugs,
            "vip": (units + mugs) // 2 if self.vip else 0,
            "big": 0 if self.undone() else big,
        }

    def left_of_mugs(self) -> Fraction:
        """Lines that came back go; what else came back is shared by what is left then."""
        worth = self.lines.mug_money + self.lines.hat_money
        if not worth:
            return Fraction(0)
        paid = Fraction(self.total)
        mugs = whole = paid * Fraction(self.lines.mug_money) / Fraction(worth)
        hats = paid - mugs
        for amount, pieces, told in self.refunds.values():
            if pieces and self.lines.mugs:
                value = (
                    Fraction(told)
                    if told is not None
                    else whole * min(pieces, self.lines.mugs) / self.lines.mugs
                )
                mugs = max(mugs - min(value, Fraction(amount)), Fraction(0))
        left = mugs + hats
        return mugs * min(Fraction(self.net()) / left, Fraction(1)) if left else Fraction(0)


@dataclass(slots=True)
class Held:
    """A redemption: whose, for which order, until when it waits."""

    id: str
    owner: str
    part: str
    order: str | None
    until: datetime
    status: str = "reserved"


class Naive:
    """All customers. Who is merged into whom, and what was taken back for it, is in `merged` and `doubles`."""

    def __init__(self, customers: Iterable[str], pending_days: int) -> None:
        self.points: list[Point] = []
        self.lots: dict[int, tuple[datetime, datetime]] = {}
        self.debt = dict.fromkeys(customers, 0)
        self.pending_days = pending_days
        self.orders: dict[str, Bought] = {}
        self.held: dict[str, Held] = {}
        self.welcomed: dict[str, int] = {}
        self.merged: dict[str, str] = {}
        self.doubles: dict[str, tuple[int, int, str]] = {}
        self.earned = 0

    def of(self, owner: str, where: str) -> list[Point]:
        """A customer's points in one place, those first that expire first."""
        found = [one for one in self.points if one.owner == owner and one.where == where]
        return sorted(found, key=lambda one: (one.end, one.lot))

    def spendable(self, owner: str, now: datetime) -> int:
        """What can be spent to the moment."""
        there = [
            one
            for one in self.points
            if one.owner == owner
            and one.end > now
            and (one.where == "available" or (one.where == "pending" and one.ready <= now))
        ]
        return len(there) - self.debt[owner]

    def times(self, at: datetime, *, waits: bool = True) -> tuple[datetime, datetime]:
        """From and until when points of that moment can be spent."""
        ready = at
        if waits and self.pending_days:
            local = (at.astimezone(ZONE) + timedelta(days=self.pending_days)).replace(tzinfo=None)
            ready = local.replace(tzinfo=ZONE).astimezone(UTC)
        last = ready.astimezone(ZONE).date() + EXPIRE_AFTER
        return ready, datetime.combine(last + timedelta(days=1), time(), ZONE).astimezone(UTC)

    def give(  # noqa: PLR0917
        self, owner: str, part: str, lot: int, count: int, times: tuple[datetime, datetime], now: datetime
    ) -> None:
        """Points into a lot, which keeps the times it was opened with; those that can be spent pay what is owed."""
        ready, end = self.lots.setdefault(lot, times)
        if self.debt[owner]:
            self.pass_to(now, owner)
        where = "pending" if ready > now else "available"
        self.points += [Point(owner, part, lot, ready, end, where) for _ in range(count)]
        self.pay(owner)

    def pay(self, owner: str) -> None:
        """Available points pay what is owed, those first that expire first."""
        if self.debt[owner]:
            paying = self.of(owner, "available")[: self.debt[owner]]
            self.debt[owner] -= len(paying)
            self.lose(paying)

    def lose(self, points: list[Point]) -> None:
        """Points that are no more."""
        gone = set(map(id, points))
        self.points = [one for one in self.points if id(one) not in gone]
        for one in points:
            one.where = "gone"

    def take_back(self, owner: str, lot: int, count: int, now: datetime) -> int:
        """From the own lot, from what expired of it, from what expires first; answers how much is then owed."""
        self.pass_to(now, owner)
        own = [one for one in self.points if one.owner == owner and one.lot == lot]
        rest = [one for one in self.of(owner, "available") if one.lot != lot]
        taken = [
            *(one for one in own if one.where in {"pending", "available"}),
            *(one for one in own if one.where == "expired"),
            *rest,
        ][:count]
        self.lose(taken)
        self.debt[owner] += count - len(taken)
        return count - len(taken)

    def pass_to(self, now: datetime, owner: str | None = None) -> None:
        """What has become due, in the order in which it did: reservations end (unless it is done for one customer with
        whom something happens), points can be spent, points expire."""
        if owner is None:
            for held in sorted(self.held.values(), key=lambda one: (one.until, one.id)):
                if held.status == "reserved" and held.until <= now:
                    self.pass_to(held.until, held.owner)
                    self.release(held, "expired")
        mine = [one for one in self.points if owner in {None, one.owner}]
        due = {one.ready for one in mine if one.where == "pending" and one.ready <= now}
        due |= {one.end for one in mine if one.where in {"pending", "available"} and one.end <= now}
        for moment in sorted(due):
            ready = [one for one in mine if one.where == "pending" and one.ready <= moment]
            for one in ready:
                one.where = "available"
            for theirs in {one.owner for one in ready}:
                self.pay(theirs)
            for one in mine:
                if one.where == "available" and one.end <= moment:
                    one.where = "expired"

    def release(self, held: Held, status: str = "released") -> None:
        """Points of a redemption go back to their lots; they pay what is owed first."""
        held.status = status
        for one in self.points:
            if one.where == held.id:
                one.where = "available"
        self.pay(held.owner)

    def settle_order(
        self, order_id: str, now: datetime, times: tuple[datetime, datetime] | None = None
    ) -> None:
        """After news of an order: what was used for it goes back if it is undone; its points become what is due."""
        order = self.orders[order_id]
        due = order.due()
        for rule, points in due.items():
            more = points - order.had.get(rule, 0)
            if more > 0:
                assert times is not None, "only a telling gives points"
                order.had[rule] = points
                self.earned += more
                self.give(order.owner, order.part, order.lot, more, times, now)
        if order.undone():
            for one in sorted(self.held.values(), key=lambda one: one.id):
                mine = one.owner == order.owner and one.order == order_id
                if mine and one.status in {"reserved", "confirmed"}:
                    self.give_back(one, now)
        for rule, points in due.items():
            less = order.had.get(rule, 0) - points
            if less > 0:
                order.had[rule] = points
                self.earned -= less
                self.take_back(order.owner, order.lot, less, now)

    def give_back(self, held: Held, now: datetime) -> None:
        """What was put aside for an undone order, or spent on it, is its customer's again. What came from a lot that is
        another customer's by now gets a lot of its own, as if it were given today."""
        self.pass_to(now, held.owner)
        if held.status == "confirmed":
            for one in self.points:
                if one.where == held.id and self.whose(one.part) != held.owner:
                    one.lot, one.part = lot_number(held.id, str(one.lot)), held.owner
                    one.ready, one.end = self.lots.setdefault(one.lot, self.times(now, waits=False))
        self.release(held, "returned" if held.status == "confirmed" else "released")

    def whose(self, part: str) -> str:
        """The customer that a part is with."""
        return self.merged.get(part, part)

    def merge(self, source: str, target: str, cause: str, now: datetime) -> None:
        """All of the source's is the target's, after what was due; of the welcome that both had, one goes."""
        self.pass_to(now, source)
        self.pass_to(now, target)
        if source in self.welcomed and any(
            self.stands(part) for part in self.welcomed if self.whose(part) == target
        ):
            owed = self.take_back(source, self.welcomed[source], WELCOME, now)
            self.doubles[source] = (WELCOME - owed, owed, cause)
            self.earned -= WELCOME
        self.merged[source] = target
        for one in [*self.points, *self.orders.values(), *self.held.values()]:
            one.owner = target if one.owner == source else one.owner
        self.debt[target] += self.debt[source]
        self.debt[source] = 0
        self.pay(target)

    def stands(self, part: str) -> bool:
        """Whether the welcome of a part was not taken back by a merge."""
        return part in self.welcomed and part not in self.doubles

    def unmerge(self, part: str, cause: str, now: datetime) -> None:
        """A part is a customer of its own again, with what its lots still have, its orders and redemptions, and what
        the merge had taken back. A reservation of the one who stays keeps its points; debt stays."""
        stays = self.merged.pop(part)
        self.pass_to(now, stays)
        for held in self.held.values():
            if held.part == part:
                held.owner = part
        for order in self.orders.values():
            if order.part == part:
                order.owner = part
        for one in self.points:
            held = self.held.get(one.where)
            if held is None:
                one.owner = part if one.part == part else stays if one.owner == stays else one.owner
            elif held.owner == part:
                one.owner = part
            elif held.owner == stays and one.part == part and held.status == "reserved":
                one.lot, one.part = lot_number(cause, f"{stays}/{one.lot}"), stays
                self.lots.setdefault(one.lot, (one.ready, one.end))
        back, owed, merged_by = self.doubles.pop(part, (0, 0, ""))
        if back:
            self.give(part, part, self.welcomed[part], back, (now, now), now)
        if owed:
            key = f"reverse/welcome/{merged_by}/{self.welcomed[part]}/debt"
            lot = lot_number(cause, f"welcome/{key}")
            self.give(stays, stays, lot, owed, self.times(now, waits=False), now)
        self.earned += back + owed
        for owner in (stays, part):
            self.pay(owner)

    def totals(self, owner: str) -> tuple[int, int, int, int]:
        """Available, pending, reserved, debt."""
        mine = [one.where for one in self.points if one.owner == owner]
        reserved = sum(1 for where in mine if where in self.held and self.held[where].status == "reserved")
        return mine.count("available"), mine.count("pending"), reserved, self.debt[owner]

    def by_lot(self, owner: str) -> dict[int, tuple[int, int]]:
        """For each lot that has any, how many points it has and how many of it expired."""
        found: dict[int, tuple[int, int]] = {}
        for one in self.points:
            if one.owner == owner and one.where in {"pending", "available", "expired"}:
                has, expired = found.get(one.lot, (0, 0))
                found[one.lot] = (has + (one.where != "expired"), expired + (one.where == "expired"))
        return found
