"""The activities that were taken: kept as they came, found again, forgotten by month and by customer."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.rewards.adapters.history import activities
from services.rewards.adapters.history.activities import PostgresActivities
from services.rewards.wiring.worker import create_worker
from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC
from shared.contracts.codec import encode
from shared.postgres.inserting import FEW
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, activity, order, refund

OTHER = "cus_000000000000000000000002"


async def test_records_are_kept_byte_for_byte_whether_or_not_they_led_to_anything(rewards: Rewards) -> None:
    """Given an order and a page view with odd spacing; when both are taken; then their very bytes are kept."""
    records = [encode(order("1", "50")), encode(activity("page.viewed", "v")) + b"  "]
    async with rewards.engine.begin() as connection:
        await rewards.handler(
            connection,
            [Incoming(ACTIVITY_TOPIC, 0, n, CUSTOMER, value) for n, value in enumerate(records)],
            rewards.clock(),
        )

    kept = await rewards.rows("SELECT record FROM rewards.activities ORDER BY number")

    assert [bytes(record) for (record,) in kept] == records


async def test_an_activity_is_found_by_its_identity_among_those_of_its_batch(rewards: Rewards) -> None:
    """Given three activities of one customer in one batch and a fourth of another; when one is asked for by identity;
    then it and none of the others is found, and nobody is found for an identity that was never taken."""
    wanted = refund("1", "r1", "20")
    await rewards.happen(
        order("1", "50"), wanted, activity("page.viewed", "v"), order("2", "9", customer=OTHER)
    )

    async with rewards.engine.connect() as connection:
        assert await activities.find(connection, wanted.id) == wanted
        assert await activities.find(connection, "0" * 32) is None


async def test_an_activity_told_twice_is_kept_once(rewards: Rewards) -> None:
    """Given an order; when it is delivered again, in the same batch and in a later one; then it is kept once."""
    await rewards.happen(order("1", "50"), order("1", "50"))
    rewards.clock.advance(timedelta(days=40))
    await rewards.happen(order("1", "50"))

    assert await rewards.rows("SELECT count(*) FROM rewards.activities") == [(1,)]


async def test_many_at_once_are_taken_as_few_are(rewards: Rewards) -> None:
    """Given orders taken in a batch that is copied; when they come again among others, in batches of many and of few;
    then each is kept once, with its bytes, in the order in which it came first."""
    told = [order(str(number), "10") for number in range(FEW + 20)]
    first, more, last = told[: FEW + 1], told[: FEW + 10], told[FEW:]
    for batch in (first, more, last, last, more):
        await rewards.happen(*batch)

    kept = await rewards.rows("SELECT record FROM rewards.activities ORDER BY number")
    found = (
        "SELECT count(*) FROM rewards.inbox i JOIN rewards.activities a USING (customer_id, number, taken_at)"
    )

    assert [bytes(record) for (record,) in kept] == [encode(one) for one in told]
    assert await rewards.rows(found) == [(FEW + 20,)]
    assert await rewards.rows("SELECT available FROM rewards.members") == [(10 * (FEW + 20),)]


async def test_a_customers_activities_are_read_newest_first_page_by_page(rewards: Rewards) -> None:
    """Given activities in three months, two of them in one batch; when they are read two at a time; then all come once,
    the newest first, those of other customers left out."""
    told = [order(str(number), "10") for number in range(5)]
    for batch in (told[:2], [told[2], order("x", "1", customer=OTHER)], told[3:]):
        await rewards.happen(*batch)
        rewards.clock.advance(timedelta(days=31))

    found, before = [], activities.NEWEST
    async with rewards.engine.connect() as connection:
        while page := await activities.of_customers(connection, [CUSTOMER], 2, before):
            found += [each for _, each in page]
            before = page[-1][0]

    assert found == told[::-1]


async def test_months_that_are_over_are_forgotten_and_the_points_stay(rewards: Rewards) -> None:
    """Given orders in June, July and August; when what was over by 31 July is forgotten; then June's records are gone
    and the others are there, every identity is known still, and no order counts again."""
    for month in range(3):
        await rewards.happen(order(str(month), "10"))
        rewards.clock.advance(timedelta(days=30))
    store = PostgresActivities()

    async with rewards.engine.begin() as connection:
        dropped = await store.drop_months(connection, datetime(2026, 7, 31, tzinfo=UTC))
    await rewards.happen(order("0", "10"))

    assert dropped == 1
    assert await rewards.rows("SELECT count(*) FROM rewards.activities") == [(2,)]
    assert await rewards.rows("SELECT available FROM rewards.members") == [(30,)]


async def test_a_month_made_in_a_transaction_that_failed_is_made_again(rewards: Rewards) -> None:
    """Given a transaction that took the month's first activity and was rolled back; when the activity comes again to
    the same process; then it is taken."""

    async def fail() -> None:
        async with rewards.engine.begin() as connection:
            record = Incoming(ACTIVITY_TOPIC, 0, 0, CUSTOMER, encode(order("1", "50")))
            await rewards.handler(connection, [record], rewards.clock())
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await fail()
    await rewards.happen(order("1", "50"))

    assert await rewards.rows("SELECT count(*) FROM rewards.activities") == [(1,)]


async def test_the_worker_forgets_months_that_are_kept_no_longer(
    rewards: Rewards, settings: Settings
) -> None:
    """Given an order of four years ago and one of today, and history that is kept for three; when the worker runs;
    then the old record is gone and the new one there."""
    await rewards.happen(order("1", "10"))
    rewards.clock.advance(timedelta(days=4 * 365))
    await rewards.happen(order("2", "10"))
    stop = asyncio.Event()

    worker = asyncio.create_task(create_worker(settings, rewards.clock).run(stop))
    async with asyncio.timeout(20):
        while True:
            if await rewards.rows("SELECT count(*) FROM rewards.activities") == [(1,)]:
                break
            await asyncio.sleep(0.05)
    stop.set()
    await worker

    assert await rewards.rows("SELECT count(*) FROM rewards.inbox") == [(2,)]


async def test_two_workers_begin_a_month_at_once(rewards: Rewards) -> None:
    """Given no records of this month; when two workers take its first, each one record, and the second has looked for
    the month's table before the first has made it; then both records are kept (the second was set aside)."""

    async def take(number: int, *, held: asyncio.Event) -> None:
        record = encode(order(str(number), "1"))
        async with rewards.engine.begin() as connection:
            await rewards.handler(connection, [Incoming("t", number, 0, "k", record)], rewards.clock())
            held.set()
            await asyncio.sleep(0.3)  # the other one waits for this one's table

    held = asyncio.Event()
    first = asyncio.create_task(take(1, held=held))
    await held.wait()
    await asyncio.gather(first, take(2, held=held))

    assert await rewards.rows("SELECT count(*) FROM rewards.activities") == [(2,)]
