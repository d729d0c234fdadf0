"""Rollups through the real handler: whatever happens to customers, the sums are as if counted anew."""

from datetime import timedelta
from random import Random

import pytest

from shared.contracts.events import EventRecord
from tests.integration.scoring.world import World
from tests.support.life import moment, record

PEOPLE = 6


def anything(random: Random, count: int) -> list[EventRecord]:
    """Events of a few customers over a year and a half: orders, refunds, cancellations, surveys, visits; e-mail
    addresses that link some of them, so that customers merge."""
    events = []
    for number in range(count):
        who = random.randrange(PEOPLE)
        names = random.choice(
            [{"id": f"p-{who}"}, {"email": f"e-{who}"}, {"id": f"p-{who}", "email": f"e-{who}"}]
        )
        order_id = f"{who}-{random.randrange(count // PEOPLE)}"
        at = moment(random.randrange(540), minutes=random.randrange(1440))
        kind = random.choices(
            ["order", "refund", "cancel", "nps", "csat", "visit", "ticket"], [12, 2, 1, 2, 2, 4, 1]
        )[0]
        match kind:
            case "order":
                lines = [{"sku": f"s-{random.randrange(5)}", "quantity": 1, "unit_price": "1.00"}]
                data = {
                    "order_id": order_id,
                    "currency": random.choice(["USD", "USD", "EUR"]),
                    "total": f"{random.randrange(1, 90)}.{random.randrange(10, 99)}",
                    "lines": lines * random.randrange(1, 3),
                }
                made = record("order.completed", at, data, id=f"o{number}", identifiers=names)
            case "refund":
                data = {"order_id": order_id, "refund_id": f"r{number}", "total": f"{random.randrange(9)}.50"}
                made = record("order.refunded", at, data, id=f"r{number}", identifiers=names)
            case "cancel":
                made = record(
                    "order.cancelled", at, {"order_id": order_id}, id=f"c{number}", identifiers=names
                )
            case "nps" | "csat":
                data = {"kind": kind, "score": float(random.randrange(11 if kind == "nps" else 6))}
                made = record("survey.answered", at, data, id=f"s{number}", identifiers=names)
            case "visit":
                made = record("page.viewed", at, {}, id=f"v{number}", identifiers=names)
            case _:
                made = record(
                    "ticket.opened", at, {"ticket_id": f"t{number}"}, id=f"t{number}", identifiers=names
                )
        events.append(made)
    return events


async def sums(world: World) -> list[tuple[object, ...]]:
    """All sums that are not nothing, and the counts of known fields."""
    rows = await world.rows(
        "SELECT to_jsonb(s) AS row FROM scoring.metric_sums s ORDER BY segment, cohort, month"
    )
    kept = [{name: value for name, value in row.items() if value not in (0, None)} for (row,) in rows]
    fields = await world.rows("SELECT * FROM scoring.completeness_sums WHERE customers <> 0 ORDER BY 1, 2")
    return [*(tuple(sorted(row.items())) for row in kept if len(row) > 3), *fields]


@pytest.mark.parametrize("seed", range(4))
async def test_sums_kept_along_the_way_equal_those_counted_anew(world: World, seed: int):
    """Given late events, refunds, cancellations and merges; when rollups follow now and then, and as time passes;
    then the sums are those of a count from nothing."""
    random = Random(seed)
    events = anything(random, 240)
    random.shuffle(events)
    position = 0
    while position < len(events):
        size = random.randrange(1, 25)
        await world.feed(*events[position : position + size])
        position += size
        if random.random() < 0.5:
            await world.roll_up(moment(random.randrange(200, 500)))
    end = moment(700)
    await world.roll_up(end)
    kept = await sums(world)

    async with world.engine.begin() as connection:
        for table in ("rollups", "metric_sums", "completeness_sums"):
            await connection.exec_driver_sql(f"DELETE FROM scoring.{table}")
        await world.note_all(connection)
    await world.roll_up(end)

    assert kept == await sums(world)
    assert len(kept) > 20


async def test_time_alone_makes_customers_churn(world: World):
    """Given an order; when `churned_after` has passed without another; then the customer counts as churned in the
    month of that moment, not before; and an order afterwards wins the customer back."""
    ordered = {"order_id": "1", "currency": "USD", "total": "10.00"}
    await world.feed(record("order.completed", moment(0), ordered))

    async def churned(at: float) -> list[tuple[object, ...]]:
        await world.roll_up(moment(at))
        return await world.rows(
            "SELECT CAST(month AS text), churned, won_back FROM scoring.metric_sums"
            " WHERE segment = '' AND churned + won_back <> 0 ORDER BY month"
        )

    assert await churned(179.9) == []
    assert await churned(180) == [("2026-06-01", 1, 0)]
    await world.feed(record("order.completed", moment(200), {**ordered, "order_id": "2"}))
    assert await churned(201) == [("2026-06-01", 1, 0), ("2026-07-01", 0, 1)]
    await world.feed(record("order.completed", moment(90), {**ordered, "order_id": "3"}))
    assert await churned(202) == []


async def test_months_are_those_of_the_programs_zone(world: World):
    """Given an order in the last hours of January in New York, February in UTC; then it counts in January."""
    data = {"order_id": "1", "currency": "USD", "total": "10.00"}
    await world.feed(record("order.completed", moment(31) - timedelta(hours=11), data))
    await world.roll_up()

    months = await world.rows("SELECT CAST(month AS text) FROM scoring.metric_sums WHERE orders > 0")
    assert months == [("2026-01-01",)]


async def test_only_one_rolls_up_at_a_time(world: World):
    """Given somebody who is rolling up; when another one comes; then it leaves everything alone."""
    await world.feed(record("page.viewed", moment(0)))
    async with world.engine.begin() as connection:
        assert await world.rollups.lock(connection)
        await world.roll_up()
        assert await world.rows("SELECT 1 FROM scoring.rollups") == []
    await world.roll_up()
    assert await world.rows("SELECT 1 FROM scoring.rollups") == [(1,)]


async def test_a_step_counts_a_few_customers_and_keeps_the_others_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given five customers noted; when steps count two at a time; then three steps count all, each of them once."""
    monkeypatch.setattr("services.scoring.application.metrics.roll_up.CUSTOMERS_MAX", 2)
    for number in range(5):
        data = {"order_id": f"{number}", "currency": "USD", "total": "10.00"}
        names = {"id": f"p-{number}"}
        made = [
            record(
                "order.completed",
                moment(day),
                {**data, "order_id": f"{number}-{day}"},
                id=f"{number}-{day}",
                identifiers=names,
            )
            for day in (1, 2)
        ]
        await world.feed(made[0])
        await world.feed(made[1])
    counted = []
    for _ in range(4):
        await world.roll_up_once(moment(10))
        counted += await world.rows("SELECT count(*), sum(length(rollup::text)) > 0 FROM scoring.rollups")

    assert [count for count, _ in counted] == [2, 4, 5, 5]
    assert await world.rows("SELECT sum(orders) FROM scoring.metric_sums WHERE segment = ''") == [(10,)]
    assert await world.rows("SELECT count(*) FROM scoring.stale_rollups") == [(0,)]
