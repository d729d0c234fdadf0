"""(f) Scoring alone: events through its handler, the score after an event, and a long life folded anew."""

import time

from services.scoring.domain.assess import score_at
from services.scoring.domain.fold.evolve import fold
from tests.benchmarks import score_parts
from tests.benchmarks.report import Figure
from tests.benchmarks.scoring_handler import feed, mixed, orders
from tests.support.life import SETTINGS, moment, order
from tests.support.stack import running

EVENTS, CUSTOMERS, BATCH = 12_000, 2_000, 500
LONG_LIFE = 10_000


async def scoring() -> list[Figure]:
    """The figures of this part; without the bus, so they are the same on both."""
    rates = {}
    for name, make in (("orders only", orders), ("mixed stream", mixed)):
        async with running("postgres", services=()) as stack:
            rates[name] = await feed(stack.postgres.url, make(EVENTS, CUSTOMERS), BATCH)
    state = fold(score_parts.mixed(), SETTINGS).state
    return [
        *(Figure(f"(f) through scoring, {name}", rate, "events/s") for name, rate in rates.items()),
        Figure("(f) the score after an event, all parts", _score_us(state), "us"),
        Figure(f"(f) a life of {LONG_LIFE:,} orders folded anew", _refold_ms(), "ms"),
    ]


def _score_us(state: object) -> float:
    return score_parts.cost_us(lambda: score_at(state, moment(365), SETTINGS))  # type: ignore[arg-type]


def _refold_ms() -> float:
    life = [order(moment(number / 10), str(number)) for number in range(LONG_LIFE)]
    began = time.process_time()
    fold(life, SETTINGS)
    return 1000 * (time.process_time() - began)
