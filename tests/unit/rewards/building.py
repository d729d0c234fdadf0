"""Builders for tests of rewards: activities as scoring sends them, a small program, and a member's life in memory."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from services.rewards.domain.changes import Changes
from services.rewards.domain.decide import decide
from services.rewards.domain.matching import match
from services.rewards.domain.points import ledger
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering.tier_time import pass_time
from shared.contracts.activity import Activity, Facts
from shared.program.parse import load_program

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CUSTOMER = "cus_000000000000000000000001"

PROGRAM = """
name: Test program
currency: USD
time_zone: America/New_York
points:
  expire_after: P12M
  notice_before: P30D
  earn:
    - {id: welcome,    on: customer.registered, points: 100}
    - {id: purchase,   on: order.completed,     points_per_unit: 1}
    - {id: vip-double, on: order.completed,     multiply: 1.5, when: "customer.in_segment('vip')"}
    - {id: review,     on: review.posted,       points: 50, limit: {times: 2, per: P1M}}
    - {id: follow,     on: social.followed,     points: 20, limit: {times: 1, per: network}}
  redeem: {points: 100, value: 1.00, minimum: 100}
tiers:
  basis: {spend_over: P12M}
  levels:
    - {id: member, name: Member}
    - {id: gold, name: Gold, at: 200.01, keep_for: P12M}
    - {id: platinum, name: Platinum, at: 2000, keep_for: P12M}
offers:
  fifth: {gift: tote-bag, valid_for: P60D}
  five-off: {discount: {amount: 5}, valid_for: P14D, uses: 2}
milestones:
  - {id: fifth-purchase, when: "customer.orders == 5", offer: fifth}
  - {id: tenth-order, when: "customer.orders == 10", points: 500}
segments:
  vip: "customer.spend_30d >= 500"
"""


def rulebook(source: str = PROGRAM, version: int = 1) -> Rulebook:
    """The rulebook of a program."""
    return Rulebook.of(load_program(source, version=version), b"k" * 32)


def activity(
    type_: str,
    name: str,
    *,
    customer: str = CUSTOMER,
    at: datetime = NOW,
    facts: dict[str, Any] | None = None,
    identifiers: dict[str, list[str]] | None = None,
    historical: bool = False,
    unrewarded: bool = False,
    **data: Any,
) -> Activity:
    """An activity whose identity is `name`."""
    return Activity(
        id=blake2b(name.encode(), digest_size=16).hexdigest(),
        customer_id=customer,
        type=type_,
        time=at,
        received=at,
        facts=Facts(currency="USD", **(facts or {})),
        source="shop",
        event_id=name,
        data=data,
        identifiers=identifiers or {},
        historical=historical,
        unrewarded=unrewarded,
    )


def order(
    order_id: str, total: str, *, name: str | None = None, currency: str = "USD", **more: Any
) -> Activity:
    """An order completed."""
    return activity(
        "order.completed",
        name or f"order-{order_id}",
        order_id=order_id,
        total=total,
        currency=currency,
        **more,
    )


def refund(order_id: str, refund_id: str, total: str, *, name: str | None = None, **more: Any) -> Activity:
    """A refund of an order."""
    return activity(
        "order.refunded",
        name or f"refund-{refund_id}",
        order_id=order_id,
        refund_id=refund_id,
        total=total,
        **more,
    )


def cancellation(order_id: str, *, name: str | None = None, **more: Any) -> Activity:
    """A cancellation of an order."""
    return activity("order.cancelled", name or f"cancel-{order_id}", order_id=order_id, **more)


@dataclass
class Life:
    """A member in memory, to whom activities happen one after the other, all state at hand."""

    rules: Rulebook = field(default_factory=rulebook)
    member: Member = field(default_factory=lambda: Member(CUSTOMER))
    now: datetime = NOW
    changes: Changes = field(init=False)

    def __post_init__(self) -> None:
        self.member.counted = {}  # all orders are at hand, and so every decision may look back
        self.changes = Changes(self.now, self.rules.program.version)

    def happen(self, *activities: Activity) -> "Life":
        """Decide about activities."""
        for each in activities:
            self.changes.now = self.now
            decide(each, match(each, self.rules), self.member, self.rules, self.changes)
        return self

    def wait(self, time: timedelta) -> "Life":
        """Let time pass, and do what it makes due."""
        self.now += time
        self.changes.now = self.now
        ledger.bring_up_to_date(self.member, self.changes, self.now)
        if self.member.tier_due is not None and self.member.tier_due <= self.now:
            pass_time(self.member, self.rules, self.changes, same_program=False)
        return self

    def kinds(self) -> list[tuple[str, str | None, int]]:
        """(kind, rule, points) of every entry, oldest first."""
        return [(entry.kind.value, entry.rule, entry.points) for entry in self.changes.entries]

    def told(self) -> list[str]:
        """The types of all outcomes."""
        return [outcome.type for outcome in self.changes.outcomes]


def money(amount: str) -> Decimal:
    """An amount."""
    return Decimal(amount)
