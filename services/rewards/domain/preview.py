"""What a cart would bring, were it paid now: the same decision as for a real order, of which nothing is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import structs

from services.rewards.domain.changes import Changes
from services.rewards.domain.decide import decide
from services.rewards.domain.matching import match
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Why
from services.rewards.domain.state.accounts import Kind
from services.rewards.domain.state.budgets import Budget
from services.rewards.domain.state.member import Member
from shared.contracts.activity import Activity, Facts
from shared.program.conditions.condition import Condition

ORDER_ID = "preview"
PLACED = "order.completed"


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule or milestone would give: points, or an offer; `why` says why nothing, and is None else."""

    rule: str
    points: int = 0
    offer: str | None = None
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a cart would bring: by rule, in points all together, and the tier that the customer would have then."""

    lines: Sequence[Line]
    points: int
    tier: str | None


def as_order(
    customer_id: str,
    data: Mapping[str, Any],
    before: Facts,
    segments: Mapping[str, Condition],
    now: datetime,
) -> Activity:
    """The cart as the order that it would be, with the facts right after it as far as they follow from the cart:
    its count and its money, and the segments by them. The score, the stage and ranks stay as they are."""
    facts = _after(before, data, now)
    facts = structs.replace(facts, segments=[name for name, one in segments.items() if one.holds(facts)])
    return Activity(
        id=ORDER_ID,
        customer_id=customer_id,
        type=PLACED,
        time=now,
        received=now,
        facts=facts,
        data={**data, "order_id": ORDER_ID},
    )


def _after(before: Facts, data: Mapping[str, Any], now: datetime) -> Facts:
    paid = Decimal(data["total"]) if data["currency"] == before.currency else Decimal(0)
    return structs.replace(
        before,
        events=before.events + 1,
        orders=before.orders + 1,
        orders_12m=before.orders_12m + 1,
        spend=before.spend + paid,
        spend_30d=before.spend_30d + paid,
        spend_12m=before.spend_12m + paid,
        first_event_at=before.first_event_at or now,
        first_order_at=before.first_order_at or now,
        last_event_at=now,
        last_order_at=now,
    )


def preview(
    order: Activity, member: Member, rulebook: Rulebook, budgets: Mapping[str, int], now: datetime
) -> Preview:
    """What the order would bring this member. `member` holds the state that `needs` of the order asks for, and is used
    up; `budgets` say what is left of caps for all customers together."""
    matched = match(order, rulebook)
    changes = Changes(now, rulebook.program.version, skips=[])
    changes.budgets = {rule: Budget(left) for rule, left in budgets.items()}
    decide(order, matched, member, rulebook, changes)
    earned: dict[str | None, int] = {}
    for entry in changes.entries:
        if entry.kind is Kind.EARN:
            earned[entry.rule] = earned.get(entry.rule, 0) + entry.points
    why = {skip.rule: skip.why for skip in changes.skips or ()}
    lines = [
        Line(
            rule.id,
            earned.get(rule.id, 0),
            why=None if rule.id in earned else why.get(rule.id, Why.CONDITION),
        )
        for rule in rulebook.rules.get(PLACED, ())
    ]
    offers = {issued.rule: issued.offer for issued in changes.offers}
    lines += [
        Line(goal.id, earned.get(goal.id, 0), offers.get(goal.id))
        for goal in matched.milestones
        if goal.id in earned or goal.id in offers
    ]
    return Preview(lines, sum(earned.values()), member.tier)
