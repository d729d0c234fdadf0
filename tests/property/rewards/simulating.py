"""Histories and pairs of programs at random, for properties of simulations."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import strategies as st
from msgspec.structs import replace

from services.rewards.domain.simulation.groups import Group, Movement
from shared.contracts.activity import Activity
from shared.contracts.codec import encode
from tests.unit.rewards.building import PROGRAM, activity, cancellation, order, refund

START = datetime(2025, 1, 1, tzinfo=UTC)
CUSTOMERS = ("cus_22222222222222222222222a", "cus_22222222222222222222222b")
OTHERS = ("review.posted", "customer.registered", "customer.anniversary", "customer.birthday", "page.viewed")

BASE = PROGRAM.replace("at: 200.01", "at: 200")
EDITS = (
    ("points_per_unit: 1}", "points_per_unit: 2}"),
    ("points_per_unit: 1}", "points_per_unit: 1, cap: {month: 150, program: 900}}"),
    ("points_per_unit: 1}", "points_per_unit: 1, without: {categories: [K]}}"),
    (
        "points_per_unit: 1}",
        "points_per_unit: 0.7, minimum_order: 50, cap: {order: 90, day: 120, customer: 800}}",
    ),
    ("points_per_unit: 1}", "points_per_unit: 3, categories: [K], from: 2025-03-01, until: 2026-01-15}"),
    ("multiply: 1.5, when: \"customer.in_segment('vip')\"", "multiply: 3, tiers: [gold]"),
    ("points: 50, limit: {times: 2, per: P1M}", "points: 60"),
    ("points: 50, limit: {times: 2, per: P1M}", 'points: 50, when: "event.rating >= 5"'),
    ("on: customer.registered, points: 100", "on: customer.registered, points: 10"),
    ("expire_after: P12M", "expire_after: P3M"),
    ("expire_after: P12M", "expire_after: P2M\n  renewed_by: [order.completed, review.posted]"),
    ("expire_after: P12M", "expire_after: P3M\n  pending_for: P10D"),
    ("expire_after: P12M", "expire_after: P2M\n  expire_at: end_of_month"),
    ("notice_before: P30D", "notice_before: P10D"),
    ("expire_after: P12M\n  notice_before: P30D", "expire_after: PT40H"),
    ("expire_after: P12M", "expire_after: P2M\n  pending_for: P3D\n  renewed_by: [page.viewed]"),
    ("basis: {spend_over: P12M}", "basis: {spend_over: P3M}\n  grace: P20D\n  notice_before: P30D"),
    ("basis: {spend_over: P12M}", "basis: {orders_in: calendar_year}\n  downgrade: one_step"),
    ("basis: {spend_over: P12M}", "basis: {spend_in: anniversary_year}"),
    ("basis: {spend_over: P12M}", "basis: {points_over: P6M}"),
    ("basis: {spend_over: P12M}", "basis: {orders_over: P4M}\n  grace: P5D"),
    ("basis: {spend_over: P12M}", "basis: {points_in: calendar_year}\n  downgrade: one_step"),
    (
        "at: 2000, keep_for: P12M",
        "at: 400, benefits: [{every: P1M, offer: five-off}, {offer: fifth, every: P3D}]",
    ),
    ("at: 2000, keep_for: P12M", "at: 260, keep_for: P2M, benefits: [{every: P1M, offer: five-off}]"),
    ("at: 200, keep_for: P12M", "at: 150, keep_for: P1M"),
    ("at: 200, keep_for: P12M", "at: 210, keep_for: P3M, benefits: [{every: P10D, offer: five-off}]"),
    ("discount: {amount: 5}, valid_for: P14D", "discount: {amount: 6}, valid_for: P3D"),
    ("discount: {amount: 5}", "discount: {amount: 7}"),
    ("customer.orders == 5", "customer.orders == 3"),
    ("offer: fifth}", "offer: fifth, points: 40}"),
    ('when: "customer.orders == 10"', "every: {orders: 2}"),
    ("spend_30d >= 500", "spend_30d >= 200"),
    ("currency: USD", "currency: EUR"),
    ("America/New_York", "Pacific/Auckland"),
    ("America/New_York", "Asia/Kathmandu"),
)
"""Changes of the program of the tests, each on its own or after others."""

edits = st.lists(st.sampled_from(EDITS), unique=True, max_size=4)


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, str]:
    """Two programs that have much in common, and sometimes everything."""
    live = _edited(BASE, draw(edits))
    return live, _edited(live, draw(edits.filter(lambda changes: len(changes) <= 2)))


def _edited(program: str, changes: list[tuple[str, str]]) -> str:
    for before, after in changes:
        program = program.replace(before, after)
    return re.sub(r"at: (200|150|210),", "at: 2,", program) if "orders_" in program else program


def histories(random: Random) -> list[Group]:
    """What two customers did, each for themselves, or as one."""
    groups = [_history(random, [name], random.randrange(1, 25)) for name in CUSTOMERS]
    together = _history(random, list(CUSTOMERS), random.randrange(1, 25))
    owners = dict.fromkeys(CUSTOMERS, CUSTOMERS[0]) if random.random() < 0.5 else {}
    return [*groups, together._replace(owners=owners)]


def _history(random: Random, names: list[str], length: int) -> Group:
    now, placed = START, dict[str, list[str]]()
    records, movements = list[bytes](), list[Movement]()
    for number in range(length):
        now += timedelta(minutes=random.randrange(60 * 24 * random.choice([1, 5, 25, 60])))
        who = random.choice(names)
        records.append(encode(_happening(random, who, f"{who}{number}", now, placed.setdefault(who, []))))
        if random.random() < 0.25:
            at = now + timedelta(minutes=random.choice([0, 5_000]))
            movements.append(_movement(random, who, f"{who}{number}", at, placed[who]))
    return Group(records, sorted(movements, key=lambda movement: (movement.at, movement.cause)))


def _happening(random: Random, who: str, name: str, now: datetime, placed: list[str]) -> Activity:
    at, what = now - timedelta(days=random.choice([0, 0, 0, 0, random.randrange(90)])), random.random()
    facts = {
        "orders": len(placed) + 1,
        "spend": Decimal(random.randrange(3_000)),
        "spend_30d": Decimal(random.randrange(900)),
        "segments": random.choice([[], ["vip"], ["a", "vip"]]),
        "first_order_at": min(START + timedelta(days=9), at),
    }
    told: Activity
    if what < 0.5 or not placed:
        order_id = random.choice([*placed, name, name, name])
        placed.append(order_id)
        lines = [{"sku": "A", "quantity": 2, "unit_price": "3.10", "category": "K"}]
        paid, money = str(Decimal(random.randrange(1, 30_000)) / 100), random.choice(["USD", "USD", "EUR"])
        told = order(order_id, paid, name=name, currency=money, customer=who, at=at, facts=facts, lines=lines)
    elif what < 0.65:
        gone = str(random.randrange(1, 300))
        told = refund(random.choice(placed), name, gone, name=name, customer=who, at=at, facts=facts)
    elif what < 0.75:
        told = cancellation(random.choice(placed), name=name, customer=who, at=at, facts=facts)
    else:
        told = activity(random.choice(OTHERS), name, customer=who, at=at, facts=facts, rating=5, years=2)
    return replace(told, late=at < now, historical=random.random() < 0.1, unrewarded=random.random() < 0.05)


def _movement(random: Random, who: str, name: str, at: datetime, placed: list[str]) -> Movement:
    what = random.random()
    if what < 0.6:
        for_order = random.choice([None, *placed])
        return Movement(at, who, "spent", f"{name}s", random.randrange(1, 400), for_order)
    if what < 0.8:
        return Movement(at, who, "by_hand", f"{name}h", random.randrange(-200, 300) or 1)
    until = at + timedelta(days=random.randrange(100))
    return Movement(at, who, "granted", f"{name}g", 0, None, random.choice(["gold", "platinum"]), until)
