"""What a hundred segments cost an event: python -m tests.benchmarks.segments."""

import time
from datetime import UTC, datetime
from decimal import Decimal

from shared.contracts.activity import Facts
from shared.program.conditions.condition import Condition, ConditionContext, Scope
from shared.program.conditions.segments import SegmentRules

SHAPES = (
    "customer.spend_30d >= {n}",
    "customer.orders == {n}",
    "customer.stage == 'lapsed' && customer.spend > {n}.50",
    "customer.spend_percentile >= {p} && customer.recency_percentile >= {p}",
    "customer.orders >= {n} || 'friction' in customer.tags",
    "!(customer.stage in ['lapsed', 'at_risk']) && customer.order_interval_days < {n}.5",
    "customer.last_order_at < timestamp('2026-01-01T00:00:00Z') && customer.orders_12m > {n}",
)
RUNS = 2_000


def rules(count: int) -> dict[str, Condition]:
    """So many different conditions of the shapes that shops write."""
    scope = Scope(event=None, nested=True)
    return {
        f"s{n}": Condition.compile(SHAPES[n % len(SHAPES)].format(n=n, p=n % 100), scope)
        for n in range(count)
    }


def main() -> None:
    """Print microseconds per event, compiled and by CEL."""
    conditions = rules(100)
    compiled = SegmentRules(conditions)
    known = Facts(
        currency="USD",
        orders=7,
        spend=Decimal("412.50"),
        spend_30d=Decimal("49.20"),
        stage="active",
        order_interval_days=20.5,
        spend_percentile=80,
        recency_percentile=60,
        last_order_at=datetime(2026, 3, 1, tzinfo=UTC),
    )

    def by_cel() -> list[str]:
        context = ConditionContext(known)
        return [name for name, condition in conditions.items() if context.holds(condition)]

    assert compiled.of(known) == by_cel()
    for name, ask in (("compiled", lambda: compiled.of(known)), ("CEL", by_cel)):
        begin = time.perf_counter()
        for _ in range(RUNS):
            ask()
        print(f"100 segments, {name}: {(time.perf_counter() - begin) / RUNS * 1e6:.1f} us an event")


if __name__ == "__main__":
    main()
