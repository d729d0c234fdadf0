"""Points owed by day, and a customer's statement: equal to the ledger to the point."""

from datetime import date, timedelta

import httpx

from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, both, went
from tests.unit.rewards.building import CUSTOMER, order, refund

# The clock begins at noon UTC of 1 June 2026, in New York 8 in the morning.


async def liability(api: httpx.AsyncClient, first: str, last: str) -> dict[str, dict[str, object]]:
    """By day what is answered."""
    answer = await api.get("/v1/liability", params={"from": first, "to": last})
    assert answer.status_code == 200, answer.text
    return {each["day"]: each for each in answer.json()["days"]}


async def test_points_owed_by_day_are_those_of_the_ledger(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a year in which points were earned, spent, refunded, adjusted and expired, two customers merged among it;
    when the books are read; then each day has what moved, the days add up, and the last is the ledger's sum."""
    await both(rewards)
    key = {"Idempotency-Key": "k"}
    rewards.clock.advance(timedelta(days=1, hours=15, minutes=59))  # 23:59 of 2 June in New York
    made = await api.post("/v1/redemptions", json={"customer": ANA, "points": 120}, headers=key)
    await api.post(f"/v1/redemptions/{made.json()['id']}/confirm")
    rewards.clock.advance(timedelta(minutes=1))
    await rewards.happen(refund("a1", "r1", "20.00", customer=ANA))
    await api.post("/v1/adjustments", json={"customer": BEN, "points": -9, "reason": "x"}, headers=key)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    rewards.clock.advance(timedelta(days=400))
    await rewards.pass_time()

    days = await liability(api, "2026-05-31", "2026-06-04")
    assert [each["owed"] for each in days.values()] == [0, 320, 200, 71, 71]
    assert (days["2026-06-01"]["earned"], days["2026-06-02"]["spent"]) == (320, 120)
    third = days["2026-06-03"]
    assert (third["taken_back"], third["adjusted"], third["value"]) == (120, -9, "0.71")
    end = await liability(api, "2027-07-01", "2027-07-31")
    expired = {day: each["breakage"] for day, each in end.items() if each["breakage"]}
    assert expired == {(date(2026, 6, 3) + timedelta(days=400)).isoformat(): 71}
    assert list(end.values())[-1]["owed"] == 0
    await rewards.check()


async def test_days_to_come_are_not_answered(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given points owed; when the days until after today are asked for; then today is the last: what will be owed
    tomorrow nobody knows."""
    await rewards.happen(order("1", "10"))
    assert list(await liability(api, "2026-05-31", "2026-06-30")) == ["2026-05-31", "2026-06-01"]
    assert await liability(api, "2026-06-02", "2026-06-30") == {}


async def test_a_refund_of_expired_points_lowers_the_breakage_alone(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given points that expired; when their order is refunded; then nothing else is owed, and less was breakage."""
    await rewards.happen(order("1", "10"))
    rewards.clock.advance(timedelta(days=400))
    await rewards.pass_time()
    await rewards.happen(refund("1", "r", "4"))
    (day,) = (await liability(api, "2027-07-06", "2027-07-06")).values()
    assert (day["expired"], day["breakage"], day["taken_back"], day["owed"]) == (10, 6, 0, 0)


async def test_a_statement_lies_between_its_balances(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given entries on three days; when the statement of the second is read in pages; then it opens with the first
    day's balance, closes with the second's, and what it lists makes up the difference."""
    await rewards.happen(order("1", "100"))
    rewards.clock.advance(timedelta(days=1))
    await rewards.happen(*(order(f"2{n}", "10", at=rewards.clock()) for n in range(3)))
    await rewards.happen(refund("1", "r", "70"))
    rewards.clock.advance(timedelta(days=1))
    await rewards.happen(order("3", "1000", at=rewards.clock()))

    items: list[dict[str, object]] = []
    query: dict[str, str] = {"from": "2026-06-02", "to": "2026-06-02", "limit": "2"}
    while True:
        page = (await api.get(f"/v1/customers/{CUSTOMER}/statement", params=query)).json()
        items += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert page["opening"] == {"available": 100, "pending": 0, "reserved": 0}
    assert page["closing"] == {"available": 60, "pending": 0, "reserved": 0}
    assert [each["points"] for each in items] == [10, 10, 10, -70]


async def test_a_statement_of_a_merged_customer_has_both_histories(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given two customers who were merged; when the statement of either is read; then both ledgers are one account."""
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    query = {"from": "2026-06-01", "to": "2026-06-01"}
    for name in (ANA, BEN):
        page = (await api.get(f"/v1/customers/{name}/statement", params=query)).json()
        assert page["opening"]["available"] == 0
        assert page["closing"]["available"] == sum(each["points"] for each in page["items"]) == 220


async def test_a_wrong_period_is_refused(api: httpx.AsyncClient) -> None:
    """Given days that end before they begin, are too many, or no days; then 422 names the parameter."""
    for first, last, named in (
        ("2026-06-02", "2026-06-01", "to"),
        ("2020-01-01", "2026-01-01", "to"),
        ("x", "2026-01-01", "from"),
    ):
        answer = await api.get("/v1/liability", params={"from": first, "to": last})
        assert answer.status_code == 422
        assert [error["parameter"] for error in answer.json()["errors"]] == [named]
