"""Codes at the checkout on a real database: for everybody and for one, limits, races, and giving back."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rewards.adapters.names import Names
from services.rewards.adapters.reading.reader import Reader
from services.rewards.adapters.spending.codes import PostgresCodes
from services.rewards.application.spending.codes import CodeRequest, Codes
from services.rewards.domain.refusals import RefusedError
from services.rewards.domain.spending.carts import Cart
from shared.bus.records import Incoming
from shared.contracts.activity import ACTIVITY_TOPIC
from shared.contracts.codec import encode
from shared.contracts.customer import own_id
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.coded import CODED, OTHER, open_shop, redeem, release, validate
from tests.unit.rewards.building import CUSTOMER, NOW, cancellation, order, refund


@pytest.fixture
async def shop(rewards: Rewards, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a shop with codes; the customer has ordered for 100."""
    return await open_shop(rewards, api)


async def standing(rewards: Rewards) -> list[Any]:
    """The uses that stand, as (code, order)."""
    return await rewards.rows(
        "SELECT code, order_id FROM rewards.offer_uses WHERE undone_at IS NULL ORDER BY code, order_id"
    )


async def test_a_code_for_everybody_is_used_once_by_each(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given SUMMER-26; when a customer uses it as they typed it, again for the same order, and for another order; then
    it counts once, the repeat answers alike, and the second order is refused with the limit."""
    good = await validate(shop, "summer26", total="50.00", currency="USD")
    used = await redeem(shop, "summer26", "a", order_id="77", total="50.00", currency="USD")
    again = await redeem(shop, "SUMMER-26", "b", order_id="77", total="50.00", currency="USD")
    more = await redeem(shop, "SUMMER-26", "c", order_id="78", total="50.00", currency="USD")
    little = await validate(shop, "summer26", total="5.00", currency="USD")

    assert (good["valid"], good["discount"], good["code"]) == (True, "3.00", "SUMMER-26")
    assert (little["valid"], little["code"]) == (False, "SUMMER-26")
    assert (used.status_code, used.json()["discount"], used.json()["uses_left"]) == (200, "3.00", 0)
    assert again.json() == used.json()
    assert (more.status_code, more.json()["code"], more.json()["times"]) == (409, "offer_limit_reached", 1)
    assert await standing(rewards) == [("SUMMER-26", "77")]
    assert [outcome.type for outcome in await rewards.outcomes()].count("offer.redeemed") == 1


async def test_a_customer_of_whom_nothing_was_heard_may_use_it_and_is_the_one_who_orders_later(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a new customer's first cart; when the code is used, and then the order comes; then it is the same customer,
    who has used it."""
    assert (await validate(shop, "SUMMER-26", "c-new", total="50"))["valid"]
    used = await redeem(shop, "SUMMER-26", "a", "c-new", order_id="500", total="50")
    pseudonym = rewards.pseudonyms.of("id", "c-new")
    await rewards.happen(order("500", "45", customer=own_id(pseudonym), identifiers={"id": [pseudonym]}))

    assert used.status_code == 200
    refused = await validate(shop, "SUMMER-26", "c-new", order_id="501", total="50")
    assert refused["reason"] == "offer_limit_reached"
    assert await rewards.rows("SELECT customer_id FROM rewards.offer_uses") == [(own_id(pseudonym),)]


@pytest.mark.parametrize(
    ("code", "order_", "reason"),
    [
        ("SUMMER-26", {"total": "19.99"}, "offer_below_minimum_order"),
        ("SUMMER-26", {}, "offer_order_needed"),
        ("SUMMER-26", {"total": "50", "currency": "EUR"}, "offer_currency_mismatch"),
        ("TOYS5", {"total": "50", "lines": [{"sku": "A", "unit_price": "50"}]}, "offer_products_missing"),
        ("GOLDEN", {"total": "50"}, "offer_wrong_tier"),
        ("JULY", {"total": "50"}, "offer_not_yet_valid"),
        ("NOSUCHCODE", {"total": "50"}, "offer_unknown"),
    ],
)
async def test_what_is_not_met_is_named_alike_by_both_and_changes_nothing(
    rewards: Rewards, shop: httpx.AsyncClient, code: str, order_: dict[str, Any], reason: str
) -> None:
    """Given a term that is not met; when the code is validated and redeemed; then both say why, and nothing changes."""
    before = await rewards.dump()

    said = await validate(shop, code, **order_)
    refused = await redeem(shop, code, "k", order_id="77", **order_)

    assert (said["valid"], said["reason"]) == (False, reason)
    assert (refused.json()["code"], refused.json()["detail"]) == (reason, said["detail"])
    assert await rewards.dump() == before


async def test_two_codes_go_together_if_both_may(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given two combinable codes and one that stands alone; when they meet on an order; then the two do, and no other,
    whichever comes first; the checkout may name codes that are not redeemed yet."""
    lines = [{"sku": "A", "unit_price": "50", "category": "Toys"}]
    assert (await redeem(shop, "TOYS5", "a", order_id="77", lines=lines)).status_code == 200
    assert (await redeem(shop, "SHIPFREE", "b", order_id="77")).status_code == 200
    third = await redeem(shop, "SUMMER-26", "c", order_id="77", total="50")
    assert (third.status_code, third.json()["code"]) == (409, "offer_not_combinable")

    named = await validate(shop, "SUMMER-26", total="50", codes=["toys5", "nonsense"])
    assert named["reason"] == "offer_not_combinable"
    assert (await validate(shop, "SUMMER-26", total="50", codes=["nonsense"]))["valid"]
    assert (await redeem(shop, "SUMMER-26", "d", order_id="78", total="50")).status_code == 200
    second = await redeem(shop, "TOYS5", "e", order_id="78", lines=lines)
    assert second.json()["code"] == "offer_not_combinable"


async def test_a_limit_counts_anew_with_time(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given twice in 30 days; when a third follows; then it is refused until the time that is said."""
    lines = [{"sku": "A", "unit_price": "50", "category": "Toys"}]
    for number in range(2):
        assert (
            await redeem(shop, "TOYS5", f"k{number}", order_id=str(number), lines=lines)
        ).status_code == 200
        rewards.clock.advance(timedelta(days=1))

    refused = await validate(shop, "TOYS5", lines=lines)
    assert refused["reason"] == "offer_limit_reached"
    assert refused["figures"]["again_at"] == "2026-07-01T12:00:00Z"
    rewards.clock.set(NOW + timedelta(days=30))
    assert (await validate(shop, "TOYS5", lines=lines))["valid"]


async def test_the_last_ones_of_a_stock_are_given_once(
    rewards: Rewards, shop: httpx.AsyncClient, second_api: httpx.AsyncClient
) -> None:
    """Given a stock of 3; when 12 customers use the code at once over two processes; then 3 do."""
    answers = await asyncio.gather(
        *(
            redeem(
                shop if n % 2 else second_api, "SUMMER-26", f"k{n}", f"c-{n}", order_id=f"o{n}", total="50"
            )
            for n in range(12)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 9
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "offer_out_of_stock"
    }
    assert await rewards.rows("SELECT item, taken FROM rewards.stock") == [("offer:summer", 3)]
    assert len(await standing(rewards)) == 3


async def test_one_customer_at_two_checkouts_at_once_uses_it_once(
    rewards: Rewards, shop: httpx.AsyncClient, second_api: httpx.AsyncClient
) -> None:
    """Given a code that each may use once; when one customer pays 8 orders at the same moment; then one has it."""
    answers = await asyncio.gather(
        *(
            redeem(shop if n % 2 else second_api, "SHIPFREE", f"k{n}", order_id=f"o{n}", total="50")
            for n in range(8)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert len(await standing(rewards)) == 1


async def test_a_cancelled_order_gives_its_codes_back(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given a customer's own code and one for everybody, used for orders; when these are cancelled, or refunded;
    then both may be used again, for another order and not for those."""
    await rewards.happen(order("5", "10", facts={"orders": 5}))
    ((own,),) = await rewards.rows("SELECT code FROM rewards.offers")
    assert (await redeem(shop, own, "a", order_id="77")).status_code == 200
    assert (await redeem(shop, "SUMMER-26", "b", order_id="78", total="50")).status_code == 200

    await rewards.happen(order("77", "50"), order("78", "45"))
    await rewards.happen(cancellation("77"), refund("78", "r", "45"))
    await rewards.happen(cancellation("77", name="told-again"))

    assert await standing(rewards) == []
    assert await rewards.rows("SELECT used FROM rewards.offers") == [(0,)]
    assert await rewards.rows("SELECT taken FROM rewards.stock") == [(0,)]
    assert [outcome.type for outcome in await rewards.outcomes()].count("offer.released") == 2
    for code, order_id in ((own, "77"), ("SUMMER-26", "78")):
        refused = await redeem(shop, code, f"again-{order_id}", order_id=order_id, total="50")
        assert (refused.status_code, refused.json()["code"]) == (409, "offer_order_cancelled")
    assert (await redeem(shop, own, "c", order_id="79")).status_code == 200
    assert [
        outcome.id for outcome in await rewards.outcomes() if outcome.type == "offer.redeemed"
    ].__len__() == 3


async def test_uses_of_one_code_that_come_back_together_are_all_counted(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a customer's own code, good twice and used for two orders; when both are cancelled in one batch; then it is
    good twice again."""
    await rewards.happen(order("5", "10", facts={"orders": 5}))
    await rewards.plant("UPDATE rewards.offers SET uses = 2")
    ((own,),) = await rewards.rows("SELECT code FROM rewards.offers")
    for order_id in ("77", "78"):
        assert (await redeem(shop, own, order_id, order_id=order_id)).status_code == 200

    await rewards.happen(cancellation("77"), cancellation("78"))

    assert await rewards.rows("SELECT used FROM rewards.offers") == [(0,)]
    assert await standing(rewards) == []


@pytest.mark.parametrize("first", ["cancellation", "redemption"])
async def test_a_code_is_not_used_for_an_order_that_is_cancelled_meanwhile(
    rewards: Rewards, shop: httpx.AsyncClient, first: str
) -> None:
    """Given a cancellation and a redemption for one order, step by step; when the one comes while the other is not yet
    through; then it waits, and either way nothing of the code is used."""
    codes = Codes(
        rewards.jobs.members,
        PostgresCodes(Names(rewards.pseudonyms), Reader(Names(rewards.pseudonyms))),
        rewards.jobs.programs,
    )
    request = CodeRequest(
        customer=CUSTOMER, code="SUMMER-26", cart=Cart(order_id="77", total=Decimal(50), currency="USD")
    )

    async def cancel(connection: AsyncConnection) -> None:
        told = cancellation("77")
        record = Incoming(ACTIVITY_TOPIC, 0, 0, CUSTOMER, encode(told))
        await rewards.handler(connection, [record], rewards.clock())

    async def use(connection: AsyncConnection) -> None:
        await codes.redeem(connection, request, rewards.clock(), f"use_{first}", "key")

    async def apart(work: Any) -> str | None:
        try:
            async with rewards.engine.begin() as connection:
                await work(connection)
        except RefusedError as refusal:
            return refusal.code
        return None

    one, other = (cancel, use) if first == "cancellation" else (use, cancel)
    async with rewards.engine.begin() as connection:
        await one(connection)
        waiting = asyncio.create_task(apart(other))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done

    assert await waiting == ("offer_order_cancelled" if first == "cancellation" else None)
    assert await standing(rewards) == []
    await rewards.check()


async def test_a_failed_payment_gives_the_code_back(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given a code used for an order; when its payment fails and it is released, twice; then it may be used again."""
    assert (await redeem(shop, "SUMMER-26", "a", order_id="77", total="50")).status_code == 200

    first = await release(shop, "summer-26", "r1", "77")
    second = await release(shop, "summer-26", "r2", "77")
    never = await release(shop, "SUMMER-26", "r3", "99")

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert (never.status_code, never.json()["code"]) == (404, "offer_not_used")
    assert await rewards.rows("SELECT taken FROM rewards.stock") == [(0,)]
    assert (await redeem(shop, "SUMMER-26", "b", order_id="77", total="50")).status_code == 200
    assert await standing(rewards) == [("SUMMER-26", "77")]
    await rewards.check()


async def test_a_code_keeps_the_terms_with_which_it_was_given(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a code; when a new program asks more of that offer; then the old code keeps its terms, a new one has the
    new ones."""
    await rewards.happen(order("5", "10", facts={"orders": 5}))
    ((old,),) = await rewards.rows("SELECT code FROM rewards.offers")
    stricter = CODED.replace("fifth: {gift: tote-bag,", "fifth: {gift: tote-bag, minimum_order: 99,")
    await shop.put("/v1/program", content=stricter, headers={"Content-Type": "application/yaml"})
    await asyncio.sleep(1.1)
    await rewards.happen(order("6", "10", customer=OTHER, facts={"orders": 5}))
    ((new,),) = await rewards.rows("SELECT code FROM rewards.offers WHERE customer_id = :id", id=OTHER)

    assert (await validate(shop, old, total="20"))["valid"]
    assert (await validate(shop, new, OTHER, total="20"))["reason"] == "offer_below_minimum_order"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"customer": CUSTOMER, "order": {"total": "-1"}},
        {"customer": CUSTOMER, "order": {"total": "1e400"}},
        {"customer": CUSTOMER, "order": {"lines": [{"sku": "A"}]}},
        {"customer": CUSTOMER, "order": {"lines": [{"sku": "A", "unit_price": "1", "quantity": "0"}]}},
        {"customer": CUSTOMER, "order": {"lines": [{"sku": "A", "unit_price": "NaN"}]}},
        {"customer": CUSTOMER, "order": {"codes": ["x"] * 21}},
        {"customer": "a\x00"},
    ],
)
async def test_rubbish_gets_a_problem_with_its_place(shop: httpx.AsyncClient, body: Any) -> None:
    answer = await shop.post("/v1/offers/SUMMER-26/validate", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] is not None


async def test_the_largest_order_there_can_be_is_reckoned(shop: httpx.AsyncClient) -> None:
    """Given lines of the largest prices and quantities; when a code is validated; then it is answered, not an error."""
    line = {"sku": "A", "unit_price": "999999999999.9999", "quantity": "999999.9999", "category": "Toys"}

    assert (await validate(shop, "TOYS5", lines=[line] * 1000))["discount"] == "5.00"
    assert (await validate(shop, "SUMMER-26", lines=[line] * 1000))["discount"] == "3.00"
