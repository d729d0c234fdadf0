"""Codes are not guessed: who tries waits, and nobody learns of another customer's."""

from datetime import timedelta

import httpx
import pytest

from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.coded import OTHER, open_shop, redeem, validate
from tests.unit.rewards.building import CUSTOMER, activity, order


@pytest.fixture
async def shop(rewards: Rewards, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a shop with codes; the customer has ordered for 100."""
    return await open_shop(rewards, api)


async def test_who_guesses_is_not_listened_to_for_a_while(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given a customer who tries ten unknown codes; when they try again, even a good one; then they wait, whatever the
    route; others do not; and after a quarter of an hour they may."""
    for number in range(10):
        assert (await validate(shop, f"GUESS{number}", total="50"))["reason"] == "offer_unknown"

    tried = await shop.post(
        "/v1/offers/SUMMER-26/validate", json={"customer": CUSTOMER, "order": {"total": "50"}}
    )
    used = await redeem(shop, "SUMMER-26", "k", order_id="77", total="50")

    for answer in (tried, used):
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert answer.headers["retry-after"] == "900"
    assert (await validate(shop, "SUMMER-26", "c-other", total="50"))["valid"]
    rewards.clock.advance(timedelta(minutes=15))
    assert (await validate(shop, "SUMMER-26", total="50"))["valid"]


async def test_a_wrong_code_shown_again_and_again_is_no_guess(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a mistyped code in a cart; when the cart is shown 30 times; then the right one is still listened to."""
    for _ in range(30):
        await validate(shop, "SUMMER-62", total="50")

    assert (await validate(shop, "SUMMER-26", total="50"))["valid"]


async def test_refused_redemptions_count_as_guesses_too(rewards: Rewards, shop: httpx.AsyncClient) -> None:
    """Given ten unknown codes sent to redeem; when an eleventh follows; then it waits."""
    answers = [await redeem(shop, f"GUESS{n}", f"k{n}", order_id="77") for n in range(11)]

    assert [answer.status_code for answer in answers] == [404] * 10 + [429]


async def test_another_customer_learns_nothing_of_a_used_code(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a customer's own code, used up; when another customer tries it; then it is unknown, as any other."""
    await rewards.happen(order("5", "10", facts={"orders": 5}), order("9", "10", customer=OTHER))
    ((own,),) = await rewards.rows("SELECT code FROM rewards.offers")
    await redeem(shop, own, "a", order_id="77")

    theirs, mine = await validate(shop, own, OTHER), await validate(shop, own)

    assert (theirs["reason"], mine["reason"]) == ("offer_unknown", "offer_used")
    assert theirs == await validate(shop, "AAAA-BBBB-CCCC", OTHER) | {"code": own}


async def test_another_customers_code_is_as_unknown_as_any_however_it_is_named(
    rewards: Rewards, shop: httpx.AsyncClient
) -> None:
    """Given a customer's own code that stands alone; when another one names it beside a code, or gives it back; then
    both answer as for a code that there is not."""
    await rewards.happen(activity("login.recorded", "five", facts={"orders": 5}))
    (code,) = (await rewards.rows("SELECT code FROM rewards.offers"))[0]
    await rewards.happen(order("2", "100", customer=OTHER))
    mine = await validate(shop, "SHIPFREE", total="50", codes=[code])
    assert mine["reason"] == "offer_not_combinable"

    for number, named in enumerate((code, "NONE-SUCH-CODE")):
        assert (await validate(shop, "SHIPFREE", OTHER, total="50", codes=[named]))["valid"]
        given = await shop.post(
            f"/v1/offers/{named}/release",
            json={"customer": OTHER, "order_id": "2"},
            headers={"Idempotency-Key": f"g{number}"},
        )
        assert (given.status_code, given.json()["code"]) == (404, "offer_unknown")
