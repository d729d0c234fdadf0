"""Redemptions over HTTP: idempotent, never overspending, released when nobody confirms."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from services.rewards.wiring.api import create_app
from shared.http.direct import DirectRoute
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.rewards.conftest import Rewards
from tests.support.clock import ManualClock
from tests.unit.rewards.building import CUSTOMER, order, refund


async def reserve(
    api: httpx.AsyncClient, points: int, key: str, customer: str = CUSTOMER, order_id: str = "77"
) -> httpx.Response:
    """`POST /v1/redemptions`."""
    return await api.post(
        "/v1/redemptions",
        json={"customer": customer, "points": points, "order_id": order_id},
        headers={"Idempotency-Key": key},
    )


async def end(api: httpx.AsyncClient, answer: httpx.Response, how: str) -> httpx.Response:
    """Confirm or release."""
    return await api.post(f"/v1/redemptions/{answer.json()['id']}/{how}")


async def test_reserve_confirm_and_the_points_are_spent(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given 500 points; when 300 are reserved and confirmed; then 200 are left and the answer tells the value."""
    await rewards.happen(order("1", "500"))

    reserved = await reserve(api, 300, "k1")
    assert reserved.status_code == 201
    assert reserved.json() | {"id": "", "reserved_at": ""} == {
        "id": "",
        "status": "reserved",
        "customer": CUSTOMER,
        "order_id": "77",
        "points": 300,
        "value": "3.00",
        "currency": "USD",
        "reserved_at": "",
        "expires_at": "2026-06-01T12:30:00Z",
        "ended_at": None,
    }
    confirmed = await end(api, reserved, "confirm")
    again = await end(api, reserved, "confirm")

    assert confirmed.status_code == 200
    assert confirmed.json()["status"] == "confirmed"
    assert again.content == confirmed.content
    assert (await end(api, reserved, "release")).json()["code"] == "redemption_confirmed"
    points = (await api.get(f"/v1/customers/{CUSTOMER}/points")).json()
    assert (points["available"], points["reserved"], points["lifetime_earned"]) == (200, 0, 500)
    assert [outcome.type for outcome in await rewards.outcomes()][-2:] == ["points.reserved", "points.spent"]
    await rewards.check()


async def test_the_same_key_reserves_once_and_answers_the_same(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a reservation; when it is sent again 10 times at once; then all answers are the first, to the byte."""
    await rewards.happen(order("1", "500"))

    first = await reserve(api, 100, "same")
    answers = await asyncio.gather(*(reserve(api, 100, "same") for _ in range(10)))
    other = await reserve(api, 200, "same")

    assert {answer.content for answer in answers} == {first.content}
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await rewards.rows("SELECT reserved FROM rewards.members") == [(100,)]


def test_reserving_goes_round_the_framework(settings: Settings, clock: ManualClock) -> None:
    """Given the API as it is wired; then its route for redemptions stands in it by itself, where it is found by one
    look: inside of a router with options it would be tried after others, with what those options bring."""
    direct = [route for route in create_app(settings, clock).routes if isinstance(route, DirectRoute)]

    assert "/v1/redemptions" in {route.path for route in direct}


async def test_a_connection_that_the_server_has_closed_is_not_used(
    rewards: Rewards, api: httpx.AsyncClient, engine_for: EngineFor
) -> None:
    """Given a checkout that was used; when the server closes all connections, as one that starts again does; then the
    next requests are answered as if nothing had been."""
    await rewards.happen(order("1", "500"))
    first = await reserve(api, 100, "before")
    async with engine_for(None).begin() as connection:
        closed = await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'regulars-rewards' AND datname = current_database()"
            )
        )
        assert len(closed.all()) >= 2
    await asyncio.sleep(0.2)

    later = await asyncio.gather(*(reserve(api, 100, f"after-{number}") for number in range(4)))

    assert {answer.status_code for answer in later} == {201}
    assert (await end(api, first, "confirm")).status_code == 200
    await rewards.check()


async def test_the_same_key_from_two_processes_at_once_reserves_once(
    rewards: Rewards, api: httpx.AsyncClient, second_api: httpx.AsyncClient
) -> None:
    """Given two API processes; when both get the same new request; then there is one reservation and one answer."""
    await rewards.happen(order("1", "5000"))

    for number in range(20):
        one, two = await asyncio.gather(
            reserve(api, 100, f"k{number}"), reserve(second_api, 100, f"k{number}")
        )
        assert one.status_code == 201
        assert one.content == two.content

    assert await rewards.rows("SELECT reserved FROM rewards.members") == [(2000,)]
    await rewards.check()


async def test_concurrent_redemptions_never_overspend(
    rewards: Rewards, api: httpx.AsyncClient, second_api: httpx.AsyncClient
) -> None:
    """Given 1,000 points; when 32 clients of two processes ask for 100 each at once; then 10 get them."""
    await rewards.happen(*(order(str(n), "100") for n in range(10)))

    answers = await asyncio.gather(
        *(reserve(api if n % 2 else second_api, 100, f"k{n}", order_id=str(n)) for n in range(32))
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 22
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert (refused["code"], refused["available"]) == ("insufficient_points", 0)
    assert await rewards.rows("SELECT available, reserved FROM rewards.members") == [(0, 1000)]
    await rewards.check()


async def test_confirm_and_release_at_once_have_one_winner(
    rewards: Rewards, api: httpx.AsyncClient, second_api: httpx.AsyncClient
) -> None:
    """Given reservations; when each is confirmed and released at once; then one wins, and points are kept or spent."""
    await rewards.happen(order("1", "1000"))
    reserved = [await reserve(api, 100, f"k{n}") for n in range(8)]

    results = await asyncio.gather(
        *(asyncio.gather(end(api, each, "confirm"), end(second_api, each, "release")) for each in reserved)
    )

    confirmed = 0
    for confirm, release in results:
        assert sorted((confirm.status_code, release.status_code)) == [200, 409]
        confirmed += confirm.status_code == 200
    assert await rewards.rows("SELECT available, reserved FROM rewards.members") == [
        (1000 - 100 * confirmed, 0)
    ]
    await rewards.check()


@pytest.mark.parametrize(
    ("customer", "points", "refusal"),
    [
        (CUSTOMER, 501, (409, "insufficient_points")),
        (CUSTOMER, 99, (422, "below_minimum")),
        ("nobody", 100, (404, "unknown_customer")),
        (CUSTOMER, 0, (422, "invalid_request")),
        (CUSTOMER, 10**15, (422, "invalid_request")),
        ("", 100, (422, "invalid_request")),
    ],
)
async def test_a_refusal_changes_nothing(
    rewards: Rewards, api: httpx.AsyncClient, customer: str, points: int, refusal: tuple[int, str]
) -> None:
    """Given 500 points; when a redemption is refused; then everything stored is as it was."""
    await rewards.happen(order("1", "500"))
    before = await rewards.dump()

    answer = await reserve(api, points, "k", customer)

    assert (answer.status_code, answer.json()["code"]) == refusal
    assert answer.headers["content-type"] == "application/problem+json"
    assert await rewards.dump() == before


async def test_a_key_and_a_scope_are_needed(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given the API; when the idempotency key or the API key is missing; then it is said which."""
    body = {"customer": CUSTOMER, "points": 100, "order_id": "1"}

    assert (await api.post("/v1/redemptions", json=body)).status_code == 422
    stranger = await api.post(
        "/v1/redemptions", json=body, headers={"Idempotency-Key": "k", "Authorization": "Bearer x"}
    )
    assert stranger.status_code == 401


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"\xff", {}, 400),
        (b"[]", {}, 422),
        (b'{"customer": "a"}', {}, 422),
        (b'{"customer": "a\\u0000", "points": 100}', {}, 422),
        (b'{"customer": "a", "points": "100"}', {}, 422),
        (b'{"customer": "a", "points": 100.5}', {}, 422),
        (b'{"customer": "a", "points": 100}', {"Idempotency-Key": "x" * 256}, 422),
        (b'{"customer": "a", "points": 100}', {"Idempotency-Key": "a b"}, 422),
        (b'{"customer": "a", "points": 100}', {"Content-Type": "text/plain"}, 415),
    ],
)
async def test_rubbish_gets_a_problem(
    api: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Given rubbish in body or headers; when it is sent; then the answer is a problem of the caller's."""
    answer = await api.post(
        "/v1/redemptions",
        content=content,
        headers={"Idempotency-Key": "k", "Content-Type": "application/json"} | headers,
    )

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_shops_own_id_is_understood(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a customer known by the shop's id; when that is used; then it is the same customer."""
    await rewards.happen(order("1", "500", identifiers={"id": [rewards.pseudonyms.of("id", "c-42")]}))

    answer = await reserve(api, 100, "k", "c-42")

    assert answer.json()["customer"] == CUSTOMER
    assert (await api.get("/v1/customers/c-42/points")).json()["available"] == 400


async def test_a_reservation_that_nobody_confirms_is_given_back(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a reservation of 30 minutes; when they are over; then confirm is refused before and after the job came."""
    await rewards.happen(order("1", "500"))
    reserved = await reserve(api, 100, "k")
    rewards.clock.advance(timedelta(minutes=30))

    assert (await end(api, reserved, "confirm")).json()["code"] == "redemption_expired"
    await asyncio.gather(rewards.pass_time(), rewards.pass_time())
    assert (await end(api, reserved, "confirm")).json()["code"] == "redemption_expired"
    assert (await end(api, reserved, "release")).status_code == 200

    assert await rewards.rows("SELECT available, reserved FROM rewards.members") == [(500, 0)]
    assert await rewards.rows("SELECT status FROM rewards.redemptions") == [("expired",)]
    await rewards.check()


async def test_a_refund_of_spent_points_shows_below_zero(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given 200 points, all spent; when the order is refunded; then -200 are shown, and nothing can be spent."""
    await rewards.happen(order("1", "200"))
    await end(api, await reserve(api, 200, "k"), "confirm")

    await rewards.happen(refund("1", "r1", "200"))

    assert (await api.get(f"/v1/customers/{CUSTOMER}/points")).json()["available"] == -200
    assert (await reserve(api, 100, "k2")).json()["available"] == -200
    await rewards.check()


async def test_adjustments_are_idempotent_and_never_below_zero(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given 50 points; when 100 are given twice with one key, and 151 taken; then 150 are there."""
    await rewards.happen(order("1", "50"))

    async def adjust(points: int, key: str) -> httpx.Response:
        body = {"customer": CUSTOMER, "points": points, "reason": "late parcel"}
        return await api.post("/v1/adjustments", json=body, headers={"Idempotency-Key": key})

    first, second = await adjust(100, "a"), await adjust(100, "a")
    refused = await adjust(-151, "b")

    assert first.status_code == 201
    assert second.content == first.content
    assert (refused.status_code, refused.json()["code"], refused.json()["available"]) == (
        409,
        "insufficient_points",
        150,
    )
    assert (await adjust(-150, "c")).json()["available"] == 0
    assert (await adjust(0, "d")).status_code == 422
    await rewards.check()
