"""Rewards for points on a real database: stock, limits, races step by step, and what a cancelled order gives back."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.rewards.adapters.names import Names
from services.rewards.adapters.spending.checkouts import PostgresCheckouts
from services.rewards.application.spending.checkout import Checkout, Reserve
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.carts import EMPTY
from services.rewards.entrypoints.spending.redemptions import render
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.test_checkout import end
from tests.unit.rewards.building import CUSTOMER, PROGRAM, activity, cancellation, order, refund

OTHER, THIRD = "cus_000000000000000000000002", "cus_000000000000000000000003"
CATALOGUE = """
rewards:
  mug:  {points: 100, gift: mug, stock: 3}
  pen:  {points: 10, gift: pen, limit: {times: 1, per: P30D}}
  ten:  {points: 100, discount: {percent: 10, at_most: 5}, minimum_order: 20}
  vip:  {points: 10, gift: scarf, tiers: [platinum]}
  late: {points: 10, gift: card, until: 2026-05-31}
"""


async def activate(api: httpx.AsyncClient, source: str) -> None:
    """Put a program in force."""
    put = await api.put("/v1/program", content=source, headers={"Content-Type": "application/yaml"})
    assert put.status_code == 200, put.text
    await asyncio.sleep(1.1)


@pytest.fixture
async def shop(rewards: Rewards, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a shop with a catalogue; two customers have 1,000 points each, a third one 10."""
    await activate(api, PROGRAM + CATALOGUE)
    await rewards.happen(
        order("1", "1000"), order("2", "1000", customer=OTHER), order("3", "10", customer=THIRD)
    )
    return api


async def reserve(
    shop: httpx.AsyncClient, reward: str, key: str, customer: str = CUSTOMER, **order_: Any
) -> httpx.Response:
    """Reserve a reward."""
    body = {"customer": customer, "reward": reward} | ({"order": order_} if order_ else {})
    return await shop.post("/v1/redemptions", json=body, headers={"Idempotency-Key": key})


async def taken(rewards: Rewards, item: str = "reward:mug") -> Any:
    """How much is taken of a stock."""
    return (await rewards.rows("SELECT taken FROM rewards.stock WHERE item = :item", item=item))[0][0]


async def test_a_reward_is_reserved_and_confirmed_like_points(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given the mug for 100 points; when it is reserved twice with one key, and confirmed; then its points are spent
    once, and the answers say what it gives."""
    first = await reserve(shop, "mug", "k", order_id="77")
    again = await reserve(shop, "mug", "k", order_id="77")
    confirmed = await end(shop, first, "confirm")

    assert first.status_code == 201
    assert first.content == again.content
    said = confirmed.json()
    assert (said["status"], said["reward"], said["points"], said["value"]) == ("confirmed", "mug", 100, None)
    assert said["gives"]["gift"] == "mug"
    assert await taken(rewards) == 1
    assert await rewards.rows(
        "SELECT available, reserved FROM rewards.members WHERE customer_id = :id", id=CUSTOMER
    ) == [(900, 0)]
    await rewards.check()


async def test_a_discount_for_points_is_reckoned_on_the_order(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    answer = (await reserve(shop, "ten", "k", order_id="77", total="33.35", currency="USD")).json()

    assert (answer["value"], answer["gives"]["percent"]) == ("3.33", "10")


@pytest.mark.parametrize(
    ("reward", "order_", "refusal"),
    [
        ("mugg", {}, (404, "reward_unknown")),
        ("ten", {"order_id": "77"}, (409, "reward_order_needed")),
        ("ten", {"total": "19.99"}, (409, "reward_below_minimum_order")),
        ("vip", {}, (409, "reward_wrong_tier")),
        ("late", {}, (409, "reward_expired")),
    ],
)
async def test_a_refused_reward_changes_nothing(
    rewards: Rewards, shop: httpx.AsyncClient, reward: str, order_: dict[str, Any], refusal: tuple[int, str]
) -> None:
    before = await rewards.dump()

    answer = await reserve(shop, reward, "k", **order_)

    assert (answer.status_code, answer.json()["code"]) == refusal
    after = await rewards.dump()
    assert after == before


@pytest.mark.parametrize(
    "body",
    [
        {"customer": CUSTOMER},
        {"customer": CUSTOMER, "points": 100, "reward": "mug"},
        {"customer": CUSTOMER, "reward": ""},
        {"customer": CUSTOMER, "reward": "mug", "order_id": "1", "order": {"order_id": "2"}},
        {"customer": CUSTOMER, "reward": "mug", "order": {"total": "many"}},
    ],
)
async def test_rubbish_gets_a_problem(shop: httpx.AsyncClient, body: Any) -> None:
    answer = await shop.post("/v1/redemptions", json=body, headers={"Idempotency-Key": "k"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["pointer"] is not None


async def test_the_last_ones_go_to_as_many_as_there_are(
    rewards: Rewards, shop: httpx.AsyncClient, second_api: httpx.AsyncClient
) -> None:
    """Given 3 mugs; when 12 requests of two customers come over two processes at once; then 3 are given; one that is
    released can be had again."""
    answers = await asyncio.gather(
        *(
            reserve(shop if n % 2 else second_api, "mug", f"k{n}", CUSTOMER if n % 3 else OTHER)
            for n in range(12)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "reward_out_of_stock"
    }
    one = next(answer for answer in answers if answer.status_code == 201)
    await end(shop, one, "release")
    assert await taken(rewards) == 2
    assert (await reserve(shop, "mug", "next")).status_code == 201
    await rewards.check()


async def test_who_comes_second_waits_for_the_first_and_then_finds_none(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given the last mug, being reserved by one customer; when another asks in the meantime; then they wait until the
    first has it, and are refused; had the first failed, they would have it."""
    for number in range(2):
        assert (await reserve(shop, "mug", f"k{number}")).status_code == 201
    handle = Checkout(
        rewards.jobs.members, PostgresCheckouts(Names(rewards.pseudonyms)), rewards.jobs.programs, render
    )

    async def other(key: str) -> Any:
        async with rewards.engine.begin() as connection:
            return (await handle(connection, [_asked(OTHER, key)], rewards.clock()))[0]

    async def first(*, fails: bool) -> Any:
        async with rewards.engine.connect() as connection:
            (mine,) = await handle(connection, [_asked(CUSTOMER, f"first-{fails}")], rewards.clock())
            waiting = asyncio.create_task(other(f"second-{fails}"))
            done, _ = await asyncio.wait([waiting], timeout=0.5)
            assert not done
            await (connection.rollback() if fails else connection.commit())
            return mine, await waiting

    mine, theirs = await first(fails=False)
    assert isinstance(mine, bytes)
    assert isinstance(theirs, RefusedError)
    assert theirs.code == "reward_out_of_stock"
    ((id_,),) = await rewards.rows("SELECT max(id) FROM rewards.redemptions WHERE status = 'reserved'")
    await shop.post(f"/v1/redemptions/{id_}/release")
    _, theirs = await first(fails=True)
    assert isinstance(theirs, bytes)
    assert await taken(rewards) == 3
    await rewards.check()


def _asked(customer: str, key: str) -> Reserve:
    return Reserve(
        id=f"red_{key}",
        customer=customer,
        points=None,
        cart=EMPTY,
        scope="s",
        key=key,
        body_hash=b"h",
        reward="mug",
    )


async def test_a_reservation_that_nobody_confirms_puts_the_reward_back(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a reserved mug; when its time is over and two workers come by; then it is in stock again, once."""
    await reserve(shop, "mug", "k")
    rewards.clock.advance(timedelta(minutes=30))

    await asyncio.gather(rewards.pass_time(), rewards.pass_time())

    assert await taken(rewards) == 0
    await rewards.check()


async def test_a_limit_is_one_customers_and_counts_anew(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given a pen a month for each; when one customer asks for a second; then it is refused until a month is over;
    another has theirs; a released one counts nothing."""
    first = await reserve(shop, "pen", "a")
    await end(shop, first, "release")
    assert (await reserve(shop, "pen", "b")).status_code == 201
    refused = await reserve(shop, "pen", "c")
    assert (refused.status_code, refused.json()["code"]) == (409, "reward_limit_reached")
    assert refused.json()["again_at"] == "2026-07-01T12:00:00Z"
    assert (await reserve(shop, "pen", "d", OTHER)).status_code == 201

    rewards.clock.advance(timedelta(days=30))
    assert (await reserve(shop, "pen", "e")).status_code == 201


async def test_one_customer_at_two_checkouts_at_once_has_it_once(
    rewards: Rewards, shop: httpx.AsyncClient, second_api: httpx.AsyncClient
) -> None:
    """Given a pen a month; when one customer asks 8 times at once over two processes; then they have one."""
    answers = await asyncio.gather(
        *(reserve(shop if n % 2 else second_api, "pen", f"k{n}") for n in range(8))
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_a_stock_that_is_set_later_counts_what_was_given_before(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given two pens given while there was no stock of them, and one that came back; when the program says there are 3;
    then one is left."""
    assert (await reserve(shop, "pen", "a")).status_code == 201
    back = await reserve(shop, "pen", "back", THIRD)
    assert (await end(shop, back, "release")).status_code == 200
    assert (await reserve(shop, "pen", "b", OTHER)).status_code == 201
    await activate(
        shop, (PROGRAM + CATALOGUE).replace("gift: pen, limit: {times: 1, per: P30D}", "gift: pen, stock: 3")
    )

    assert [item["left"] for item in (await shop.get("/v1/rewards")).json()["items"]][1] == 1
    assert (await reserve(shop, "pen", "c")).status_code == 201
    assert (await reserve(shop, "pen", "d")).json()["code"] == "reward_out_of_stock"


async def test_a_cancelled_order_gives_points_and_reward_back(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a mug and money bought with points for one order; when it is cancelled, told twice; then all is back."""
    mug = await reserve(shop, "mug", "a", order_id="77")
    money = await shop.post(
        "/v1/redemptions",
        json={"customer": CUSTOMER, "points": 300, "order_id": "77"},
        headers={"Idempotency-Key": "b"},
    )
    await end(shop, mug, "confirm")

    await rewards.happen(order("77", "50"))
    await rewards.happen(cancellation("77"), cancellation("77", name="again"))

    released = await end(shop, mug, "release")
    assert (released.status_code, released.json()["status"]) == (200, "returned")
    assert (await end(shop, mug, "confirm")).json()["code"] == "redemption_returned"
    assert (await end(shop, money, "confirm")).json()["code"] == "redemption_released"
    assert await taken(rewards) == 0
    points = (await shop.get(f"/v1/customers/{CUSTOMER}/points")).json()
    assert (points["available"], points["reserved"], points["lifetime_earned"]) == (1000, 0, 1000)
    late = await reserve(shop, "mug", "c", order_id="77")
    assert (late.status_code, late.json()["code"]) == (409, "order_cancelled")
    ledger = (await shop.get(f"/v1/customers/{CUSTOMER}/ledger")).json()["items"]
    back = next(entry for entry in ledger if entry["kind"] == "return")
    assert (back["points"], back["debit"], back["credit"]) == (100, "program:redeemed", "customer:available")
    why = await shop.get(f"/v1/customers/{CUSTOMER}/explain", params={"ledger_entry": back["id"]})
    assert "77" in why.json()["sentence"]
    await rewards.check()


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_cancellation_and_a_reservation_at_once_leave_nothing_spent(
    rewards: Rewards, shop: httpx.AsyncClient, *, cancelled_first: bool
) -> None:
    """Given an order that is cancelled while its points are being reserved; when either comes first; then nothing stays
    reserved."""
    if cancelled_first:
        await rewards.happen(cancellation("77"))
        assert (await reserve(shop, "mug", "a", order_id="77")).json()["code"] == "order_cancelled"
    else:
        held = await reserve(shop, "mug", "a", order_id="77")
        await rewards.happen(cancellation("77"))
        assert (await end(shop, held, "confirm")).json()["code"] == "redemption_released"
        assert await taken(rewards) == 0

    assert await rewards.rows("SELECT sum(reserved) FROM rewards.members") == [(0,)]
    await rewards.check()


async def test_what_was_spent_before_a_merge_returns_to_the_one_who_stays(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given points spent by a customer who merges into another; when the order is cancelled afterwards; then who stays
    has them; limits count for both together."""
    held = await reserve(shop, "pen", "a", order_id="77")
    await end(shop, held, "confirm")
    await rewards.happen(order("77", "5"))
    await rewards.happen(activity("customer.merged", "m", customer=OTHER, **{"from": CUSTOMER}))
    assert (await reserve(shop, "pen", "b", OTHER)).json()["code"] == "reward_limit_reached"

    await rewards.happen(cancellation("77", customer=OTHER))

    assert await rewards.rows("SELECT available FROM rewards.members WHERE customer_id = :id", id=OTHER) == [
        (2000,)
    ]
    assert (await reserve(shop, "pen", "c", OTHER)).status_code == 201
    await rewards.check()


async def test_a_full_refund_before_its_order_gives_points_back_when_the_order_comes(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given points spent on an order whose full refund comes first; when the order follows; then they are back."""
    held = await reserve(shop, "mug", "a", order_id="77")
    await end(shop, held, "confirm")

    await rewards.happen(refund("77", "r", "50"))
    assert await taken(rewards) == 1
    await rewards.happen(order("77", "50"))

    assert await taken(rewards) == 0
    assert await rewards.rows("SELECT status FROM rewards.redemptions") == [("returned",)]
    await rewards.check()


async def test_the_catalogue_says_what_a_customer_can_have_and_why_not(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a customer with 1,000 points who had a pen; when they look; then each reward says whether it can be had."""
    await reserve(shop, "pen", "a")

    nobody = {item["reward"]: item for item in (await shop.get("/v1/rewards")).json()["items"]}
    answer = await shop.get("/v1/rewards", params={"customer": CUSTOMER})
    mine = {item["reward"]: item for item in answer.json()["items"]}

    assert list(nobody) == ["mug", "pen", "ten", "vip", "late"]
    assert nobody["mug"] | {"description": ""} == {
        "reward": "mug",
        "points": 100,
        "description": "",
        "percent": None,
        "amount": None,
        "at_most": None,
        "free_shipping": False,
        "gift": "mug",
        "currency": "USD",
        "minimum_order": None,
        "products": [],
        "categories": [],
        "tiers": [],
        "valid_from": None,
        "valid_until": None,
        "left": 3,
        "available": True,
        "reason": None,
        "detail": None,
        "missing_points": None,
    }
    assert {name: item["reason"] for name, item in nobody.items() if not item["available"]} == {
        "late": "reward_expired"
    }
    assert {name: item["reason"] for name, item in mine.items()} == {
        "mug": None,
        "pen": "reward_limit_reached",
        "ten": None,
        "vip": "reward_wrong_tier",
        "late": "reward_expired",
    }
    assert (await shop.get("/v1/rewards", params={"customer": "nobody"})).status_code == 404
    await shop.post(
        "/v1/redemptions",
        json={"customer": CUSTOMER, "points": 950},
        headers={"Idempotency-Key": "b"},
    )
    poor = (await shop.get("/v1/rewards", params={"customer": CUSTOMER})).json()["items"][0]
    assert (poor["reason"], poor["missing_points"]) == ("insufficient_points", 60)
