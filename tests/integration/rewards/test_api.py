"""What the API shows, offers at the checkout, the program, and why."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, PROGRAM, activity, order, refund

OTHER = "cus_000000000000000000000002"


async def get(api: httpx.AsyncClient, path: str, **query: Any) -> Any:
    """The answer to a GET under the customer."""
    answer = await api.get(f"/v1/customers/{CUSTOMER}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def give_offer(rewards: Rewards) -> str:
    """Let the customer reach the fifth order; the code."""
    await rewards.happen(order("5", "10", facts={"orders": 5}))
    ((code,),) = await rewards.rows("SELECT code FROM rewards.offers")
    return str(code)


async def test_points_and_what_expires_within_the_notice(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given points of now and of 11 months ago; when asked; then those that expire within 30 days are named by day."""
    await rewards.happen(order("1", "70"), order("2", "30", at=NOW - timedelta(days=345)))

    assert await get(api, "points") == {
        "available": 100,
        "pending": 0,
        "reserved": 0,
        "lifetime_earned": 100,
        "expiring": [{"points": 30, "on": "2026-06-21"}],
    }


async def test_points_past_their_last_day_are_not_shown_even_before_the_job(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given points whose last day is over; when asked before the job came by; then they are not there."""
    await rewards.happen(order("1", "70"))
    rewards.clock.advance(timedelta(days=367))

    assert (await get(api, "points"))["available"] == 0


async def test_the_ledger_is_paged_newest_first_and_sums_to_the_balance(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given entries of several kinds; when read in pages of 2; then each comes once, and points sum to the balance."""
    await rewards.happen(
        order("1", "70", at=NOW - timedelta(days=2)), refund("1", "r", "20"), order("2", "300")
    )
    await api.post(
        "/v1/redemptions",
        json={"customer": CUSTOMER, "points": 100, "order_id": "3"},
        headers={"Idempotency-Key": "k"},
    )
    items, cursor = [], None
    while True:
        page = await get(api, "ledger", limit=2, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break

    assert [item["kind"] for item in items] == ["reserve", "reserve", "earn", "reverse", "earn"]
    assert sum(item["points"] for item in items) == 250 == (await get(api, "points"))["available"]
    assert items[3]["rule"] == "purchase"
    assert items[3]["points"] == -20
    assert len({item["id"] for item in items}) == 5


async def test_the_ledger_after_a_merge_tells_of_both(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a merge; when the ledger is read under either id; then it holds both histories and sums to the balance."""
    await rewards.happen(order("1", "70"), order("2", "30", customer=OTHER))
    rewards.clock.advance(timedelta(seconds=1))
    await rewards.happen(activity("customer.merged", "m", **{"from": OTHER}))

    items, cursor = [], None
    while True:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await api.get(f"/v1/customers/{OTHER}/ledger", params=query)).json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break

    assert sorted(item["kind"] for item in items) == ["earn", "earn", "merge", "merge"]
    assert sum(item["points"] for item in items) == 100


async def test_tier_and_what_is_missing(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given 250 spent; when asked; then Gold through its last day next year, 1,750 to Platinum, and what is to be
    bought by then to keep it."""
    await rewards.happen(order("1", "250"))

    assert await get(api, "tier") == {
        "tier": "gold",
        "name": "Gold",
        "since": "2026-06-01T12:00:00Z",
        "until": "2027-06-02T04:00:00Z",
        "status": "",
        "measure": "spend",
        "counted": "250",
        "spend": "250",
        "next": {"tier": "platinum", "missing": "1750"},
        "keep": {"missing": "200.01", "by": "2027-06-02T04:00:00Z", "tier": "member"},
        "perks": [],
    }


async def test_the_summary_counts_members_points_and_offers(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given one member with Gold and a milestone offer, and one with neither; when summed up; then each is there."""
    await rewards.happen(order("1", "250"), order("5", "10", facts={"orders": 5}))
    await rewards.happen(activity("customer.registered", "joined", customer=OTHER))

    summary = (await api.get("/v1/summary")).json()

    assert summary["points_issued"] == summary["points_available"] == 360
    assert summary["members"] == {"member": 1, "gold": 1, "platinum": 0}
    assert (summary["offers"], summary["milestone_offers"]) == (1, 1)
    assert summary["campaigns"] == {}


async def test_a_code_is_checked_and_used_once(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a code for one use; when 8 try to use it at once, for 8 orders; then one does."""
    code = await give_offer(rewards)
    body = {"customer": CUSTOMER, "order": {"total": "80.00", "currency": "USD"}}
    good = (await api.post(f"/v1/offers/{code.lower()}/validate", json=body)).json()
    assert (good["valid"], good["gift"], good["discount"]) == (True, "tote-bag", "0.00")

    answers = await asyncio.gather(
        *(
            api.post(
                f"/v1/offers/{code}/redeem",
                json={"customer": CUSTOMER, "order": {"order_id": str(n)}},
                headers={"Idempotency-Key": f"k{n}"},
            )
            for n in range(8)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"offer_used"}
    used = (await api.post(f"/v1/offers/{code}/validate", json=body)).json()
    assert (used["valid"], used["reason"]) == (False, "offer_used")
    assert [outcome.type for outcome in await rewards.outcomes()].count("offer.redeemed") == 1
    (shown,) = (await get(api, "offers"))["items"]
    assert (shown["status"], shown["uses_left"]) == ("used", 0)


async def test_an_unknown_code_and_anothers_are_answered_alike(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a code of one customer; when another tries it, or one that does not exist; then both hear the same."""
    code = await give_offer(rewards)
    await rewards.happen(order("9", "10", customer=OTHER))

    async def tried(code: str) -> Any:
        answer = (await api.post(f"/v1/offers/{code}/validate", json={"customer": OTHER})).json()
        return {name: value for name, value in answer.items() if name != "code"}

    assert await tried(code) == await tried("AAAA-BBBB-CCCC")
    answer = await api.post(
        f"/v1/offers/{code}/redeem", json={"customer": OTHER}, headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "offer_unknown")


async def test_a_code_expires_to_the_moment(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a code for 60 days; when the day on which they end is over in the shop's zone; then it is refused, and not
    a microsecond before."""
    end = datetime(2026, 8, 1, 4, tzinfo=UTC)  # midnight in New York
    code = await give_offer(rewards)

    async def reason() -> Any:
        return (await api.post(f"/v1/offers/{code}/validate", json={"customer": CUSTOMER})).json()["reason"]

    rewards.clock.set(end - timedelta(microseconds=1))
    assert await reason() is None
    rewards.clock.set(end)
    assert await reason() == "offer_expired"


async def test_a_new_program_counts_from_then_on(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given 1 point per dollar; when a version with 2 is put; then later orders earn by it, refunds of earlier ones by
    the old one."""
    await rewards.happen(order("1", "50"))
    source = PROGRAM.replace("points_per_unit: 1", "points_per_unit: 2")

    put = await api.put("/v1/program", content=source, headers={"Content-Type": "application/yaml"})
    again = await api.put("/v1/program", json={"source": source})
    await asyncio.sleep(1.1)
    await rewards.happen(order("2", "50"), refund("1", "r", "25"))

    assert (put.status_code, put.json()["version"], again.json()["version"]) == (200, 2, 2)
    assert (await api.get("/v1/program")).json()["source"] == source
    assert await rewards.rows(
        "SELECT kind, points, program_version FROM rewards.entries ORDER BY number"
    ) == [("earn", 50, 1), ("earn", 100, 2), ("reverse", 25, 2)]


async def test_a_program_with_faults_changes_nothing_and_names_each(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given two faults; when the program is put; then both are named by line and column, and the old one stays."""
    source = PROGRAM.replace("points_per_unit: 1", "points_per_unit: -1").replace(
        "offer: fifth}", "offer: sixth}"
    )

    answer = await api.put("/v1/program", content=source, headers={"Content-Type": "application/yaml"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_program")
    errors = answer.json()["errors"]
    assert len(errors) >= 2
    assert all(error["line"] > 1 and error["column"] > 1 for error in errors)
    assert (await api.get("/v1/program")).json()["version"] == 1


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a: [", b"[]", b"\x00", b"{}"])
async def test_rubbish_as_a_program_is_refused(api: httpx.AsyncClient, body: bytes) -> None:
    """Given rubbish; when it is put as a program; then the answer is a problem of the caller's."""
    answer = await api.put("/v1/program", content=body, headers={"Content-Type": "application/yaml"})

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_explain_an_earned_entry(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given an order's points; when asked why; then rule, version, its words, event, facts and lots are told."""
    await rewards.happen(order("1001", "49.20", facts={"orders": 3, "segments": ["vip"]}))
    items = (await get(api, "ledger"))["items"]

    why = await get(api, "explain", ledger_entry=items[-1]["id"])

    assert why["sentence"] == (
        "49 points earned by rule purchase of program version 1,"
        " because of order.completed order-1001 from shop of 01 June 2026 (order 1001, 49.20 USD)."
    )
    assert why["rule_description"] == "1 point per USD of what was paid, on order.completed"
    assert why["rule_text"] == "{id: purchase, on: order.completed, points_per_unit: 1}"
    assert why["event"]["id"] == "order-1001"
    assert (why["facts"]["orders"], why["facts"]["segments"]) == (3, ["vip"])
    assert [lot["points"] for lot in why["lots"]] == [73]


async def test_explain_every_kind_of_entry_in_a_sentence(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a life with every kind of entry; when each is explained; then each has a sentence of its own."""
    await rewards.happen(order("1", "300"), order("2", "100"))
    for key in ("a", "b"):
        answer = await api.post(
            "/v1/redemptions",
            json={"customer": CUSTOMER, "points": 200, "order_id": "9"},
            headers={"Idempotency-Key": key},
        )
        await api.post(f"/v1/redemptions/{answer.json()['id']}/{'confirm' if key == 'a' else 'release'}")
    await rewards.happen(refund("1", "r", "300"), order("3", "150"))
    await api.post(
        "/v1/adjustments",
        json={"customer": CUSTOMER, "points": 5, "reason": "sorry"},
        headers={"Idempotency-Key": "c"},
    )
    rewards.clock.advance(timedelta(days=400))
    await rewards.pass_time()
    items = (await get(api, "ledger", limit=200))["items"]

    told = {item["kind"]: await get(api, "explain", ledger_entry=item["id"]) for item in items}

    assert set(told) == {"earn", "reserve", "confirm", "release", "reverse", "settle", "adjust", "expire"}
    assert len({why["sentence"] for why in told.values()}) == len(told)
    assert "sorry" in told["adjust"]["sentence"]


async def test_explain_a_tier_and_an_offer(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given Gold and a milestone's code; when asked why; then the order behind both is named."""
    code = await give_offer(rewards)
    await rewards.happen(order("6", "250"))

    tier = await get(api, "explain", tier="gold")
    offer = await get(api, "explain", offer=code)

    assert tier["event"]["id"] == "order-6"
    assert "260" in tier["sentence"]
    assert tier["tier"]["reason"] == "spend"
    assert offer["event"]["id"] == "order-5"
    assert offer["rule"] == "fifth-purchase"
    assert offer["rule_text"].startswith("{id: fifth-purchase")
    assert offer["rule_description"].startswith("offer ")
    assert tier["rule_description"].startswith("Gold: from 200.01 USD spent within ")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"tier": "gold", "offer": "x"}, 422),
        ({"ledger_entry": "cus_x-1"}, 404),
        ({"ledger_entry": f"{CUSTOMER}-99"}, 404),
        ({"ledger_entry": f"{CUSTOMER}-{'9' * 40}"}, 404),
        ({"offer": "AAAA-BBBB-CCCC"}, 404),
        ({"tier": "diamond"}, 404),
    ],
)
async def test_explain_what_is_not_there(
    rewards: Rewards, api: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    """Given a customer; when something is asked that they do not have; then it is a problem of the caller's."""
    await rewards.happen(order("1", "10"))

    answer = await api.get(f"/v1/customers/{CUSTOMER}/explain", params=query)

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["points", "ledger", "tier", "offers", "explain?tier=current"])
async def test_an_unknown_customer_is_404(rewards: Rewards, api: httpx.AsyncClient, path: str) -> None:
    """Given nobody; when they are asked about; then 404 with the code that says so."""
    answer = await api.get(f"/v1/customers/nobody/{path}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_customer")


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJ4Il0", "eyJhIjoxfQ"])
@pytest.mark.parametrize("path", ["ledger", "offers"])
async def test_a_bad_cursor_is_refused(
    rewards: Rewards, api: httpx.AsyncClient, path: str, cursor: str
) -> None:
    """Given a cursor that we never gave; when it is used; then 422."""
    await rewards.happen(order("1", "10"))

    answer = await api.get(f"/v1/customers/{CUSTOMER}/{path}", params={"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
