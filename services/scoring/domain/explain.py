"""Why the score is what it is: each part with its weight, the facts that gave it, and the events behind them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.scoring.domain.assess import Assessment
from services.scoring.domain.days import WINDOW_DAYS
from services.scoring.domain.money import decimal
from services.scoring.domain.orders import Order
from services.scoring.domain.purchases import day_of
from services.scoring.domain.score import WEIGHTS, variation
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.state import State

EVIDENCE_MAX = 50
"""The most events named behind one part: the newest ones."""

FactValue = str | int | float | datetime | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that a part of the score rests on."""

    event_key: str
    order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ExplainedPart:
    """One part: `value` 0-100, `weight` 0-1, the facts in the formula, and the events behind them, newest first."""

    name: str
    value: int
    weight: float
    facts: dict[str, FactValue]
    events: tuple[Evidence, ...]


def explain(
    state: State, assessment: Assessment, orders: Iterable[Order], settings: ScoreSettings
) -> tuple[ExplainedPart, ...]:
    """The parts of an assessment. `orders` are the customer's, as many of the newest as matter."""
    known = list(orders)
    standing = _standing(known)
    start = window_start(assessment.at, settings)
    year = [one for one in standing if one.at >= start]
    paid = _standing(order for order in known if order.currency == settings.currency)
    facts, parts = assessment.facts, assessment.parts
    uneven = variation(state)
    today = day_of(assessment.at, settings.zone)
    silence = max(0, today - state.last_order_day) if state.orders else None
    return (
        _part(
            "recency",
            parts.recency,
            {"last_order_at": facts.last_order_at, "days_since_last_order": silence},
            standing[:1],
        ),
        _part("frequency", parts.frequency, {"orders_12m": facts.orders_12m}, year),
        _part(
            "spend",
            parts.spend,
            {
                "spend_12m": str(facts.spend_12m),
                "currency": facts.currency,
                "good_year": str(decimal(settings.good_year)),
            },
            [one for one in paid if one.at >= start],
        ),
        _part(
            "regularity",
            parts.regularity,
            {
                "order_days": state.order_days,
                "order_interval_days": facts.order_interval_days,
                "variation": None if uneven is None else round(uneven, 3),
            },
            standing,
        ),
    )


def window_start(moment: datetime, settings: ScoreSettings) -> datetime:
    """The first instant of the 365 days that end with the day of `moment` in the program's zone."""
    local = moment.astimezone(settings.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (midnight - timedelta(days=WINDOW_DAYS - 1)).astimezone(moment.tzinfo)


def _standing(orders: Iterable[Order]) -> list[Evidence]:
    known = [
        Evidence(order.event_key, order.order_id, order.placed_at)
        for order in orders
        if order.counts and order.event_key is not None and order.placed_at is not None
    ]
    return sorted(known, key=lambda one: (one.at, one.event_key), reverse=True)


def _part(name: str, value: int, facts: dict[str, FactValue], events: list[Evidence]) -> ExplainedPart:
    return ExplainedPart(name, value, WEIGHTS[name] / 100, facts, tuple(events[:EVIDENCE_MAX]))
