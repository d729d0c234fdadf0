"""Races, step by step: the second comes while the first is not committed; so it waits, or passes by."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.names import Names
from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.adapters.reading.reader import Reader
from services.rewards.adapters.spending.checkouts import PostgresCheckouts
from services.rewards.adapters.spending.codes import PostgresCodes
from services.rewards.application.spending.checkout import Checkout, Confirm, Request, Reserve
from services.rewards.application.spending.codes import CodeRequest, Codes
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.carts import Cart
from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC, Activity
from shared.contracts.codec import encode
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, PROGRAM, activity, order, refund

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


STOCKED = PROGRAM.replace("offers:", "offers:\n  last: {code: LAST-ONE, discount: {amount: 5}, stock: 1}")
DOUBLE = PROGRAM.replace("points_per_unit: 1}", "points_per_unit: 2}")
OTHER = "cus_000000000000000000000002"


def uses(rewards: Rewards, customer: str) -> Work:
    """What redeeming the code of which there is one does; answers the code of its refusal."""
    names = Names(rewards.pseudonyms)
    codes = Codes(rewards.jobs.members, PostgresCodes(names, Reader(names)), rewards.jobs.programs)
    cart = Cart(order_id=f"of-{customer}", total=None, currency=None)
    request = CodeRequest(customer=customer, code="LAST-ONE", cart=cart)

    async def work(connection: AsyncConnection) -> str | None:
        try:
            await codes.redeem(connection, request, rewards.clock(), f"use-{customer}", "test")
        except RefusedError as refused:
            return refused.code
        return None

    return work


async def put_in_force(rewards: Rewards, source: str) -> None:
    """Another version of the program, from now on."""
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, source, actor="test", now=rewards.clock())


async def test_two_customers_and_the_last_use_of_a_code(rewards: Rewards) -> None:
    """Given a code of which one is left; when two customers redeem it; then the second waits, and comes too late."""
    await put_in_force(rewards, STOCKED)
    await rewards.happen(order("1", "100"), order("2", "100", customer=OTHER))
    first, second = await in_turn(rewards, uses(rewards, CUSTOMER), uses(rewards, OTHER))
    assert first is None
    assert second == "offer_out_of_stock"
    assert await rewards.rows("SELECT customer_id FROM rewards.offer_uses") == [(CUSTOMER,)]
    await rewards.check()


@pytest.mark.parametrize("merge_first", [True, False])
async def test_a_merge_and_a_reservation(rewards: Rewards, *, merge_first: bool) -> None:
    """Given two customers with 100 points each; when one is merged into the other while the first's points are being
    reserved, whichever is first; then the points are put aside once, and are those of the one who stays."""
    await rewards.happen(order("1", "100"), order("2", "100", customer=OTHER))
    merged = activity(
        "customer.merged", "m", customer=OTHER, **{"from": CUSTOMER, "parts": [CUSTOMER], "epoch": 1}
    )
    works = told(rewards, merged), asks(rewards, reserve("a", 100))
    assert await in_turn(rewards, *(works if merge_first else reversed(works))) == (None, None)
    kept = "SELECT available, reserved FROM rewards.members WHERE customer_id = :id"
    assert await rewards.rows(kept, id=OTHER) == [(100, 100)]
    assert await rewards.rows(kept, id=CUSTOMER) == [(0, 0)]
    owner = await rewards.rows("SELECT customer_id FROM rewards.redemptions WHERE id = 'a'")
    assert owner == [(OTHER,)]
    await rewards.check()


async def test_a_program_put_in_force_while_a_batch_is_under_way(rewards: Rewards) -> None:
    """Given a batch that is decided and not committed; when a program that gives double is put in force, and then
    another order comes; then each is posted by the version that decided it, and a reservation made under the old one
    is confirmed under the new one."""
    async with rewards.engine.begin() as connection:
        await told(rewards, order("1", "100"))(connection)
        await asks(rewards, reserve("a", 100))(connection)
        await put_in_force(rewards, DOUBLE)  # commits before the batch does
    await rewards.happen(order("2", "100"))
    async with rewards.engine.begin() as connection:
        assert await asks(rewards, Confirm("a"))(connection) is None
    posted = await rewards.rows(
        "SELECT points, program_version FROM rewards.entries WHERE kind = 'earn' ORDER BY program_version"
    )
    assert posted == [(100, 1), (200, 2)]
    assert await rewards.rows("SELECT available, reserved FROM rewards.members") == [(200, 0)]
    await rewards.check()


@pytest.mark.parametrize("name", [CUSTOMER, "shop-77"])
async def test_who_waited_is_found_again(rewards: Rewards, name: str) -> None:
    """Given 200 points; when two checkouts want 100 each for a customer whom they know by our id, or the shop's; then
    the second waits for the first, still knows whom it is about, and takes the rest."""
    await rewards.happen(order("1", "200"))
    named = "INSERT INTO rewards.aliases (pseudonym, customer_id) VALUES ('{}', '{}')"
    await rewards.plant(named.format(rewards.pseudonyms.of("id", "shop-77"), CUSTOMER))
    first, second = (replace(reserve(id_, 100), customer=name) for id_ in "ab")
    assert await in_turn(rewards, asks(rewards, first), asks(rewards, second)) == (None, None)
    assert await rewards.rows("SELECT available, reserved FROM rewards.members") == [(0, 200)]
    await rewards.check()


async def test_a_confirmation_that_waited_is_found_again(rewards: Rewards) -> None:
    """Given a reservation; when it is confirmed while another checkout of the customer is not committed; then the
    confirmation waits, and finds it."""
    await rewards.happen(order("1", "200"))
    async with rewards.engine.begin() as connection:
        await asks(rewards, reserve("a", 100))(connection)
    found = await in_turn(rewards, asks(rewards, reserve("b", 100)), asks(rewards, Confirm("a")))
    assert found == (None, None)
    assert await rewards.rows("SELECT available, reserved FROM rewards.members") == [(0, 100)]
    await rewards.check()
