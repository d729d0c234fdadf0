"""Why was it refused? What the checkout was refused is explained by the id of the answer, for some weeks."""

from datetime import timedelta
from typing import Any

import httpx

from services.rewards.adapters.spending.refused import KEPT, KEPT_MAX
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.spending.test_checkout import end, reserve
from tests.integration.rewards.test_api import get
from tests.unit.rewards.building import CUSTOMER, activity, order

OTHER = "cus_000000000000000000000002"


async def told(api: httpx.AsyncClient, refused: httpx.Response, customer: str = CUSTOMER) -> Any:
    """The explanation of a refusal."""
    query = {"refusal": refused.json()["request_id"]}
    answer = await api.get(f"/v1/customers/{customer}/explain", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_refused_reservation_is_explained_with_what_there_was_then(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given 250 points, 100 of them put aside; when 300 are asked for, and points come in later; then the refusal tells
    what there was at that moment."""
    await rewards.happen(order("1", "250"))
    await reserve(api, 100, "k1")
    refused = await reserve(api, 300, "k2", order_id="78")
    await rewards.happen(order("2", "900"))

    why = await told(api, refused)

    assert why["sentence"] == (
        "Putting 300 points aside for order 78 was refused on 01 June 2026 at 12:00 UTC (insufficient_points):"
        " 300 points were asked for; 150 are available; 150 points were available then, 0 pending and 100 put aside."
    )
    assert why["program_version"] == 1
    refusal = why["refusal"]
    assert (refusal["what"], refusal["asked"]) == ("reserve", {"points": 300, "order_id": "78"})
    assert (refusal["figures"], refusal["tier"]) == ({"available": 150}, "gold")
    assert await get(api, "explain", refusal="latest") == why


async def test_a_late_confirmation_and_a_used_code_are_explained(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a reservation that ended and a code that is used; when they are tried again; then each refusal says so."""
    await rewards.happen(order("5", "500", facts={"orders": 5}))
    ((code,),) = await rewards.rows("SELECT code FROM rewards.offers")
    reserved = await reserve(api, 100, "k")
    rewards.clock.advance(timedelta(hours=1))
    late = await end(api, reserved, "confirm")
    for number in range(2):
        cart = {"customer": CUSTOMER, "order": {"order_id": f"o{number}"}}
        key = {"Idempotency-Key": f"c{number}"}
        used = await api.post(f"/v1/offers/{code}/redeem", json=cart, headers=key)

    confirm, redeem = await told(api, late), await told(api, used)

    assert (late.status_code, used.status_code) == (409, 409)
    assert f"Confirming redemption {reserved.json()['id']} was refused" in confirm["sentence"]
    assert confirm["refusal"]["code"] == "redemption_expired"
    assert f"Code {code} for order o1 was refused" in redeem["sentence"]
    assert redeem["refusal"]["code"] == "offer_used"


async def test_a_refusal_is_its_customer_s_and_follows_a_merge(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a refusal; when another customer asks, it is not there; when the two merge, either tells it."""
    await rewards.happen(order("1", "10"), order("2", "10", customer=OTHER))
    refused = await reserve(api, 300, "k", customer=OTHER)
    query = {"refusal": refused.json()["request_id"]}
    path = f"/v1/customers/{CUSTOMER}/explain"
    assert (await api.get(path, params=query)).status_code == 404

    await rewards.happen(activity("customer.merged", "m", **{"from": OTHER}))

    assert (await told(api, refused))["refusal"]["what"] == "reserve"
    assert (await told(api, refused, OTHER))["refusal"]["what"] == "reserve"


async def test_guesses_and_the_caller_s_own_faults_leave_nothing(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given unknown codes, customers, redemptions and a key used twice; when they are refused; then nothing is kept."""
    await rewards.happen(order("1", "1000"))
    await reserve(api, 100, "k")
    refused = [
        await reserve(api, 200, "k"),
        await reserve(api, 100, "l", customer="nobody"),
        await api.post("/v1/redemptions/red_none/confirm"),
        await api.post(
            "/v1/offers/AAAA-BBBB-CCCC/redeem", json={"customer": CUSTOMER}, headers={"Idempotency-Key": "m"}
        ),
    ]

    assert [answer.status_code for answer in refused] == [422, 404, 404, 404]
    assert await rewards.rows("SELECT code FROM rewards.refusals") == []


async def test_only_the_newest_and_those_of_some_weeks_are_kept(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given more refusals than are kept; when another comes; then the oldest of that customer goes; when weeks have
    passed, old ones go with each that comes."""
    await rewards.happen(order("1", "10"))
    for number in range(KEPT_MAX + 3):
        await reserve(api, 300, f"k{number}")
        rewards.clock.advance(timedelta(seconds=1))
    assert await rewards.rows("SELECT count(*) FROM rewards.refusals") == [(KEPT_MAX,)]

    rewards.clock.advance(KEPT)
    await reserve(api, 300, "late")

    ((kept,),) = await rewards.rows("SELECT count(*) FROM rewards.refusals")
    assert kept < KEPT_MAX


async def test_the_same_request_id_again_names_the_newest_refusal(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a caller that sends one X-Request-Id with everything; when two are refused; then the newest is told."""
    await rewards.happen(order("1", "10"))
    for points in (300, 400):
        answer = await api.post(
            "/v1/redemptions",
            json={"customer": CUSTOMER, "points": points},
            headers={"Idempotency-Key": f"k{points}", "X-Request-Id": "mine"},
        )

    assert (await told(api, answer))["refusal"]["asked"] == {"points": 400}
