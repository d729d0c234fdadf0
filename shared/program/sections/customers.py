"""The sections `segments` and `stages`: which customers belong together, and where each one is in the lifecycle."""

from datetime import timedelta
from decimal import Decimal

from shared.program.conditions.condition import Condition, Scope
from shared.program.document.fields import Fields, read_condition
from shared.program.model.ids import SEGMENT
from shared.program.model.program import Stages
from shared.program.values.period import Period

STAGE_KEYS = (
    "lapsed_after",
    "churned_after",
    "at_risk_at",
    "active_orders",
    "loyal_orders",
    "won_back_orders",
)
ORDERS_MAX = 1_000
"""More orders than that within a year would make nobody loyal."""

DEFAULT_STAGES = Stages(
    lapsed_after=Period(rest=timedelta(days=60)),
    churned_after=Period(rest=timedelta(days=180)),
    at_risk_at=Decimal("1.5"),
)
"""Used for what a program does not say."""


def segment_ids(root: Fields) -> frozenset[str]:
    """The ids of all segments, which conditions anywhere in the file may name."""
    return frozenset(key.text for key, _ in root.entries("segments"))


def read_segments(root: Fields) -> dict[str, Condition]:
    """The segments by id; each is one condition on the customer."""
    segments: dict[str, Condition] = {}
    scope = Scope(event=None, segments=root.reading.segments, nested=True, zone=root.reading.zone)
    for key, node in root.entries("segments"):
        path = f"segments.{key.text}"
        root.reading.ids.define(SEGMENT, key.text, key.place, path)
        condition = read_condition(root.reading, node, path, scope)
        if condition is not None:
            segments[key.text] = condition
    return segments


def read_stages(root: Fields) -> Stages:
    """The thresholds of the lifecycle."""
    fields = root.fields("stages", STAGE_KEYS)
    if fields is None:
        return DEFAULT_STAGES
    lapsed = fields.period("lapsed_after") or DEFAULT_STAGES.lapsed_after
    churned = fields.period("churned_after") or DEFAULT_STAGES.churned_after
    if _days(churned) <= _days(lapsed):
        wrong = "churned_after" if "churned_after" in fields else "lapsed_after"
        fields.fault(
            wrong, "Customers lapse before they churn: churned_after must be longer than lapsed_after."
        )
    at_risk = fields.amount("at_risk_at", low=Decimal(1), high=Decimal(100))
    active = fields.whole("active_orders", low=2, high=ORDERS_MAX) or DEFAULT_STAGES.active_orders
    loyal = fields.whole("loyal_orders", low=3, high=ORDERS_MAX) or DEFAULT_STAGES.loyal_orders
    if loyal <= active:
        wrong = "loyal_orders" if "loyal_orders" in fields else "active_orders"
        fields.fault(
            wrong,
            f"Customers are active before they are loyal: loyal_orders must be more than active_orders, {active}.",
            f"Write such as loyal_orders: {active + 3}.",
        )
    back = fields.whole("won_back_orders", low=2, high=ORDERS_MAX) or DEFAULT_STAGES.won_back_orders
    return Stages(lapsed, churned, at_risk or DEFAULT_STAGES.at_risk_at, active, loyal, back)


def _days(period: Period) -> float:
    return period.months * 30.4 + period.rest / timedelta(days=1)
