"""A customer with very many open lots: nothing that is asked or done costs more than the lots it touches."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.rewards.adapters.points import lots
from services.rewards.adapters.spending import loading as checkout_loading
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.test_checkout import reserve
from tests.unit.rewards.building import CUSTOMER, NOW, order, refund

LOTS = 20_000
EACH = 10

FILL = (
    """
    INSERT INTO rewards.lots (customer_id, lot, expires_at, pending, points, remaining, expired)
    SELECT customer_id, n, CAST(:now AS timestamptz) + interval '20 days' + n * interval '1 minute', false,
        :each, :each, 0
    FROM rewards.members, generate_series(1, :lots) AS n
    """,
    """
    INSERT INTO rewards.entries (customer_id, number, at, recorded_at, kind, debit, credit, points, lot, rule, cause,
        program_version, key)
    SELECT customer_id, entries + n, :now, :now, 'earn', 'program:issued', 'customer:available', :each, n, 'purchase',
        'order-' || n, 1, 'earn/purchase/order-' || n
    FROM rewards.members, generate_series(1, :lots) AS n
    """,
    """
    UPDATE rewards.members SET entries = entries + :lots, available = available + :lots * :each,
        lifetime_earned = lifetime_earned + :lots * :each
    """,
)


async def fill(rewards: Rewards, lots: int = LOTS) -> None:
    """Give the customer an order's points, and so many lots more that end a minute after each other."""
    await rewards.happen(order("1", "50.00"))
    values = {"now": f"'{rewards.clock().isoformat()}'", "each": str(EACH), "lots": str(lots)}
    async with rewards.engine.begin() as connection:
        for statement in FILL:
            written = statement
            for name, value in values.items():
                written = written.replace(f":{name}", value)
            await connection.execute(text(written))


async def test_a_redemption_takes_from_twenty_thousand_lots(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a customer with 20,000 lots; when all their points are reserved; then it succeeds, if not at once (503)
    then when it is asked again, is explained, and what they had before is still told; when it is released; then they
    have all of it again."""
    await fill(rewards)
    before = rewards.clock()
    points = (await api.get(f"/v1/customers/{CUSTOMER}/points")).json()
    assert points["available"] == LOTS * EACH + 50
    assert sum(day["points"] for day in points["expiring"]) == (await _ending_soon(rewards)) > 0
    rewards.clock.advance(timedelta(seconds=1))

    reserved = await _in_the_end(lambda: reserve(api, LOTS * EACH + 50, "all"))
    assert reserved.status_code == 201, reserved.text
    (entry,) = await rewards.rows(
        "SELECT customer_id || '-' || number FROM rewards.entries WHERE kind = 'reserve' ORDER BY number DESC LIMIT 1"
    )
    why = (await api.get(f"/v1/customers/{CUSTOMER}/explain?ledger_entry={entry[0]}")).json()
    assert (len(why["lots"]), why["lots_in_all"]) == (200, LOTS + 1)
    assert "order 1" in why["sentence"], "where the points of the last lot came from, which is not among them"
    then = await api.get(f"/v1/customers/{CUSTOMER}/points", params={"at": before.isoformat()})
    assert then.json() == points
    assert (await api.get(f"/v1/customers/{CUSTOMER}/points")).json()["available"] == 0

    released = await _in_the_end(lambda: api.post(f"/v1/redemptions/{reserved.json()['id']}/release"))
    assert released.status_code == 200, released.text
    assert (await api.get(f"/v1/customers/{CUSTOMER}/points")).json() == points
    await rewards.check()


async def _in_the_end(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """What is answered in the end to who asks again as long as something seems to be away."""
    answer = await ask()
    for _ in range(10):
        if answer.status_code != 503:
            break
        answer = await ask()
    return answer


async def _ending_soon(rewards: Rewards) -> int:
    rows = await rewards.rows(
        "SELECT sum(remaining)::bigint FROM rewards.lots WHERE expires_at <= :end",
        end=NOW + timedelta(days=30),
    )
    return int(rows[0][0])


async def test_decisions_load_the_lots_that_they_touch(
    rewards: Rewards, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a customer with a thousand lots; when a few points are reserved, released, confirmed, taken by hand, an
    order is refunded, and some points fall due; then each loads a few lots, not all."""
    await fill(rewards, 1000)
    await rewards.pass_time()
    made = _count_lots(monkeypatch)

    reserved = (await reserve(api, 100, "few")).json()["id"]
    assert made() == 10
    other = (await reserve(api, 100, "others")).json()["id"]
    assert made() == 10
    await api.post(f"/v1/redemptions/{reserved}/release")
    assert made() == 10
    await api.post(f"/v1/redemptions/{other}/confirm")
    assert made() == 0
    taken = {"customer": CUSTOMER, "points": -25, "reason": "x"}
    answer = await api.post("/v1/adjustments", json=taken, headers={"Idempotency-Key": "a"})
    assert (answer.status_code, made()) == (201, 3)
    await rewards.happen(refund("1", "r1", "50.00"))
    assert made() <= 7, "its own, and the oldest ones that hold as many points"
    rewards.clock.set(NOW + timedelta(days=20, minutes=30))
    await rewards.pass_time()
    assert 0 < made() < 60, "those that ended; notice was given before"
    await rewards.check()


def _count_lots(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many lots were made of rows since it was asked last."""
    made = 0
    add_lot = lots.add_lot

    def count(*args: Any) -> None:
        nonlocal made
        made += 1
        add_lot(*args)

    def so_far() -> int:
        nonlocal made
        made, counted = 0, made
        return counted

    for module in (lots, checkout_loading):
        monkeypatch.setattr(module, "add_lot", count)
    return so_far
