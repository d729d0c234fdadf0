"""Races, step by step: the second comes while the first is not committed; so it waits, or passes by."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.checkouts import Names, PostgresCheckouts
from services.rewards.application.checkout import Checkout, Confirm, Request, Reserve
from services.rewards.domain.carts import Cart
from services.rewards.domain.refusals import RefusedError
from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import encode
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, order, refund

Work = Callable[[AsyncConnection], Awaitable[str | None]]


def asks(rewards: Rewards, request: Request) -> Work:
    """What a request at the checkout does; answers the code of its refusal."""
    store = PostgresCheckouts(Names(rewards.pseudonyms))
    handle = Checkout(rewards.jobs.members, store, rewards.jobs.programs, lambda one: one.id.encode())

    async def work(connection: AsyncConnection) -> str | None:
        (answer,) = await handle(connection, [request], rewards.clock())
        return answer.code if isinstance(answer, RefusedError) else None

    return work


def told(rewards: Rewards, activity: Activity) -> Work:
    """What the stream's handler does about an activity."""

    async def work(connection: AsyncConnection) -> None:
        record = Incoming(ACTIVITY_TOPIC, 0, 0, activity.customer_id, encode(activity))
        await rewards.handler(connection, [record], rewards.clock())

    return work


def reserve(id_: str, points: int) -> Reserve:
    """A request for points."""
    return Reserve(id_, CUSTOMER, points, Cart(order_id=None, total=None, currency=None), "s", id_, b"h")


async def in_turn(rewards: Rewards, first: Work, second: Work) -> tuple[str | None, str | None]:
    """The first works; the second comes and must wait; the first commits; what both answer."""

    async def apart() -> str | None:
        async with rewards.engine.begin() as connection:
            return await second(connection)

    async with rewards.engine.begin() as connection:
        one = await first(connection)
        waiting = asyncio.create_task(apart())
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done, "the second did not wait"
    return one, await waiting


async def test_two_reservations_of_the_same_points(rewards: Rewards) -> None:
    """Given 100 points; when two checkouts want them; then the second waits, and finds none."""
    await rewards.happen(order("1", "100"))
    found = await in_turn(rewards, asks(rewards, reserve("a", 100)), asks(rewards, reserve("b", 100)))
    assert found == (None, "insufficient_points")
    await rewards.check()


async def test_a_reservation_and_a_refund(rewards: Rewards) -> None:
    """Given 100 points; when they are reserved and the order is refunded, whichever is first; then the reservation
    keeps its word and the rest is owed, or there is nothing to reserve."""
    await rewards.happen(order("1", "100"))
    back = told(rewards, refund("1", "r1", "100"))
    assert await in_turn(rewards, asks(rewards, reserve("a", 100)), back) == (None, None)
    assert await rewards.rows("SELECT available, reserved, debt FROM rewards.members") == [(0, 100, 100)]
    await rewards.happen(order("2", "200"))
    back = told(rewards, refund("2", "r2", "200"))
    assert await in_turn(rewards, back, asks(rewards, reserve("b", 100))) == (None, "insufficient_points")
    await rewards.check()


async def test_a_confirmation_and_the_end_of_the_reservation(rewards: Rewards) -> None:
    """Given a reservation that is being confirmed in its last moment; when the sweep comes a moment later, it passes
    by; and once the sweep has it, a confirmation is refused."""
    await rewards.happen(order("1", "200"))
    for id_ in ("a", "b"):
        async with rewards.engine.begin() as connection:
            await asks(rewards, reserve(id_, 100))(connection)
    rewards.clock.advance(timedelta(minutes=30) - timedelta(microseconds=1))
    async with rewards.engine.begin() as connection:
        assert await asks(rewards, Confirm("a"))(connection) is None
        rewards.clock.advance(timedelta(microseconds=1))
        async with rewards.engine.begin() as other:
            assert await rewards.jobs.expire_reservations(other, rewards.clock()) == 0
    async with rewards.engine.begin() as connection:
        assert await rewards.jobs.expire_reservations(connection, rewards.clock()) == 1
        async with rewards.engine.begin() as other:  # the second worker
            assert await rewards.jobs.expire_reservations(other, rewards.clock()) == 0
    async with rewards.engine.begin() as connection:
        assert await asks(rewards, Confirm("b"))(connection) == "redemption_expired"
    assert await rewards.rows("SELECT available, reserved FROM rewards.members") == [(100, 0)]
    await rewards.check()
