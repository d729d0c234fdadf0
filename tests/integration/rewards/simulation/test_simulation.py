"""The simulation on a real database: what it finds of the program in force is what the ledger says."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import httpx
import pytest

from services.rewards.adapters.simulation.families import end_of_history, families
from services.rewards.adapters.simulation.histories import LAST
from services.rewards.application.simulation.simulating import Finding, Task
from services.rewards.entrypoints.simulation.simulator import simulate_in_processes, slices
from shared.contracts.activity import Activity
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import PROGRAM, activity, cancellation, order, refund

PENDING = PROGRAM.replace("expire_after: P12M", "expire_after: P3M\n  pending_for: P10D")
BY_YEAR = (
    PROGRAM.replace("expire_after: P12M", "expire_after: P2M\n  renewed_by: [order.completed]")
    .replace(
        "basis: {spend_over: P12M}\n",
        "basis: {orders_in: calendar_year}\n  grace: P20D\n",
    )
    .replace("at: 200.01, keep_for: P12M", "at: 2, keep_for: P12M, benefits: [{every: P1M, offer: five-off}]")
)
BY_POINTS = PENDING.replace("basis: {spend_over: P12M}", "basis: {points_over: P6M}").replace(
    "at: 200.01", "at: 200"
)
TWICE = PROGRAM.replace("points_per_unit: 1}", "points_per_unit: 2}")
CUSTOMERS = [f"cus_{letter * 24}" for letter in "2ajz"]


async def simulated(
    rewards: Rewards, url: str, proposed: str, *, live: str = PROGRAM, processes: int = 1, **more: Any
) -> Finding:
    """Play all history under both programs, until now."""
    async with rewards.engine.begin() as connection:
        end = await end_of_history(connection)
        together, owners = await families(connection)
    task = Task(
        **{
            "live": live,
            "live_version": 1,
            "proposed": proposed,
            "since": None,
            "until": rewards.clock(),
            "end": end,
            "slices": slices(4),
            "families": together,
            "owners": owners,
            "apart": [name for names in together for name in names],
            "each": True,
        }
        | more
    )
    return await simulate_in_processes(url, "regulars_rewards", task, processes)


async def live_a_life(rewards: Rewards, api: httpx.AsyncClient, seed: int) -> None:
    """A year of four customers at random: orders, refunds, cancellations, reviews, redemptions, points by hand."""
    random, placed = Random(seed), list[tuple[str, str]]()
    for number in range(70):
        rewards.clock.advance(timedelta(hours=random.randrange(24 * 10)))
        await rewards.pass_time()
        who, what = random.choice(CUSTOMERS), random.random()
        at = rewards.clock()
        if what < 0.5 or not placed:
            vip = {"segments": ["vip"]} if random.random() < 0.3 else {}
            paid = str(Decimal(random.randrange(1, 30_000)) / 100)
            facts = {"orders": random.randrange(12), **vip}
            await rewards.happen(order(f"o{number}", paid, customer=who, at=at, facts=facts))
            placed.append((f"o{number}", who))
        elif what < 0.65:
            which, whose = random.choice(placed)
            name = f"r{number}"
            told: Activity = refund(which, name, str(random.randrange(1, 200)), customer=whose, at=at)
            if random.random() < 0.3:
                told = cancellation(which, name=name, customer=whose, at=at)
            await rewards.happen(told)
        elif what < 0.75:
            await rewards.happen(activity("review.posted", f"v{number}", customer=who, at=at, rating=5))
        elif what < 0.9:
            theirs = [name for name, whose in placed if whose == who]
            order_id = random.choice(theirs) if theirs else None
            await redeem(api, who, random.randrange(100, 400), f"redeem-{number}", order_id)
        else:
            points = random.randrange(-200, 300) or 1
            await api.post(
                "/v1/adjustments",
                json={"customer": who, "points": points, "reason": "a test"},
                headers={"Idempotency-Key": f"adjust-{number}"},
            )
    rewards.clock.advance(timedelta(days=20))
    await rewards.pass_time()
    await rewards.check()


async def redeem(api: httpx.AsyncClient, customer: str, points: int, key: str, order_id: str | None) -> None:
    """Reserve and confirm, if there is enough."""
    body = {"customer": customer, "points": points, "order_id": order_id}
    answer = await api.post("/v1/redemptions", json=body, headers={"Idempotency-Key": key})
    if answer.status_code == 201:
        confirm = f"/v1/redemptions/{answer.json()['id']}/confirm"
        await api.post(confirm, headers={"Idempotency-Key": f"{key}-c"})


async def posted(rewards: Rewards) -> dict[str, int]:
    """What the ledger says, by kind; taken back after it had expired counts as not expired."""
    rows = await rewards.rows("""
        SELECT CASE WHEN kind = 'adjust' AND debit = 'customer:available' THEN 'taken' ELSE kind END, sum(points)
        FROM rewards.entries GROUP BY 1
        UNION ALL SELECT 'unexpired', coalesce(sum(points), 0) FROM rewards.entries WHERE debit = 'program:expired'
        UNION ALL SELECT 'owed', sum(available + pending - debt) FROM rewards.members
        """)
    return {kind: int(points) for kind, points in rows}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "program", [PROGRAM, PENDING, BY_YEAR, BY_POINTS], ids=["plain", "pending", "years", "points"]
)
async def test_the_program_in_force_played_again_gives_what_the_ledger_says(
    rewards: Rewards, api: httpx.AsyncClient, database_url: str, seed: int, program: str
) -> None:
    """Given a year at random; when it is played again under the program that was in force; then points by kind, points
    owed, tiers and codes are those that the database holds, to the point."""
    if program is not PROGRAM:
        put = await api.put("/v1/program", content=program, headers={"Content-Type": "application/yaml"})
        assert put.status_code == 200
        rewards.clock.advance(timedelta(seconds=2))
    await live_a_life(rewards, api, seed)

    found = (await simulated(rewards, database_url, TWICE, live=program)).contrast

    ledger, live = await posted(rewards), found.live
    assert live.earned == ledger["earn"] > 0
    assert live.reversed == ledger.get("reverse", 0)
    assert live.expired == ledger.get("expire", 0) - ledger["unexpired"]
    assert live.spent == ledger.get("confirm", 0) - ledger.get("return", 0)
    assert live.adjusted == ledger.get("adjust", 0) - ledger.get("taken", 0)
    assert live.owed == ledger["owed"]
    assert live.short == 0
    offers = await rewards.rows("SELECT offer, count(*) FROM rewards.offers GROUP BY 1")
    assert live.offers == {offer: int(count) for offer, count in offers}
    tiers = await rewards.rows("SELECT coalesce(tier, 'member'), count(*) FROM rewards.members GROUP BY 1")
    assert {tier: sum(row.values()) for tier, row in found.tiers.items()} == dict(tiers)


async def test_shares_of_any_number_of_processes_find_the_same(
    rewards: Rewards, api: httpx.AsyncClient, database_url: str
) -> None:
    """Given a year at random; when one process plays it, and when three do; then they find the same."""
    await live_a_life(rewards, api, 4)

    alone = await simulated(rewards, database_url, TWICE)
    several = await simulated(rewards, database_url, TWICE, processes=3)

    assert several.contrast == alone.contrast
    assert sorted(each.customer for each in several.customers) == [each.customer for each in alone.customers]


def test_slices_cover_all_customers_once() -> None:
    """Given any number of slices; when they are laid end to end; then from the first id to the last without a gap."""
    for count in (1, 3, 8, 2000):
        found = slices(count)
        assert (found[0][0], found[-1][1]) == ("", LAST)
        assert all(before[1] == after[0] for before, after in pairwise(found))
    assert slices(4, 50.0)[-1][1] == "cus_k2"


async def simulate(api: httpx.AsyncClient, program: str, **query: Any) -> httpx.Response:
    """Ask the API."""
    headers = {"Content-Type": "application/yaml", **query.pop("headers", {})}
    return await api.post("/v1/program/simulate", content=program, params=query, headers=headers)


async def test_the_api_says_who_gains_what_and_what_it_costs(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given two orders of one customer and a review of another; when twice the points a dollar are simulated; then the
    difference in points, money, rules, tiers and by customer is told, and nothing is written."""
    ana, ben = CUSTOMERS[:2]
    await rewards.happen(
        order("1", "150", customer=ana, facts={"segments": ["vip"]}),
        order("2", "100", customer=ana, facts={"segments": ["vip"]}),
        activity("review.posted", "v", customer=ben, rating=5),
    )
    rewards.clock.advance(timedelta(hours=1))
    before = await rewards.dump()

    answer = await simulate(api, TWICE.replace("at: 200.01", "at: 300"))

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["activities"], found["customers"], found["gain"], found["lose"]) == (3, 2, 1, 0)
    assert (found["same"], found["tier_up"], found["tier_down"]) == (1, 0, 1)
    assert found["live"]["points_earned"] == 250 + 125 + 50
    assert found["difference"]["points_earned"] == 375
    assert found["difference"]["points_owed"] == 375
    assert (found["difference"]["liability"], found["difference"]["cost"]) == ("3.75", "3.75")
    assert found["rules"][0] == {
        "rule": "purchase",
        "live_points": 250,
        "live_times": 2,
        "proposed_points": 500,
        "proposed_times": 2,
    }
    assert {"live": "gold", "proposed": "member", "customers": 1} in found["tiers"]
    assert [(row["segment"], row["gain"]) for row in found["segments"]] == [("vip", 1)]
    assert [(row["customer"], row["gain"]) for row in found["gain_most"]] == [(ana, 375)]
    assert await rewards.dump() == before


async def test_a_report_is_a_page_to_read(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given an order; when a simulation is asked for as plain text; then it is a page of words and figures."""
    await rewards.happen(order("1", "250", customer=CUSTOMERS[0]))
    rewards.clock.advance(timedelta(hours=1))

    answer = await simulate(api, TWICE, headers={"Accept": "text/plain"})

    assert answer.headers["content-type"].startswith("text/plain")
    assert "1 event of 1 customer, 1 June 2026 to 1 June 2026; amounts in USD" in answer.text
    assert "1 customer gains points, 0 lose some, 0 would notice nothing." in answer.text


async def test_a_part_of_history_is_simulated(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given orders of two customers in two months; when one month, one customer, or a share of them is simulated; then
    the figures are theirs, and what was before the month has still built up the state."""
    ana, ben = CUSTOMERS[0], CUSTOMERS[-1]
    june = rewards.clock()
    await rewards.happen(order("1", "100", customer=ana), order("2", "30", customer=ben))
    rewards.clock.advance(timedelta(days=31))
    await rewards.happen(order("3", "150", customer=ana, at=rewards.clock()))
    july = (june + timedelta(days=30)).isoformat()
    rewards.clock.advance(timedelta(hours=1))

    in_july = (await simulate(api, TWICE, **{"from": july})).json()
    in_june = (await simulate(api, TWICE, to=july)).json()
    bens = (await simulate(api, TWICE, customer=ben)).json()
    half = (await simulate(api, TWICE, sample=50)).json()

    assert (in_july["live"]["points_earned"], in_july["live"]["points_owed"]) == (150, 280)
    assert {"live": "gold", "proposed": "gold", "customers": 1} in in_july["tiers"]
    assert in_june["live"]["points_earned"] == 130
    assert bens["live"]["points_earned"] == 30
    assert (half["customers"], half["live"]["points_earned"]) == (1, 250)


async def test_segments_that_the_proposed_program_changes_are_those_of_its_own(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a customer who is no vip, with 100 spent; when vips begin at 50; then they get what vips get."""
    facts = {"spend_30d": "100", "orders": 1}
    await rewards.happen(order("1", "100", customer=CUSTOMERS[0], facts=facts))
    rewards.clock.advance(timedelta(hours=1))

    found = (await simulate(api, PROGRAM.replace("spend_30d >= 500", "spend_30d >= 50"))).json()

    assert (found["live"]["points_earned"], found["proposed"]["points_earned"]) == (100, 150)


async def test_a_program_with_faults_is_not_simulated(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a program with a fault; when it is to be simulated; then the fault is told in its place."""
    answer = await simulate(api, PROGRAM.replace("review.posted", "review.postd"))

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_program")
    assert answer.json()["errors"][0]["line"] == PROGRAM[: PROGRAM.index("review.posted")].count("\n") + 1


async def test_a_time_that_ends_before_it_begins_is_refused(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a `from` after `to`; when it is asked for; then 422 names the parameter."""
    query = {"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}

    answer = await simulate(api, TWICE, **query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "from"


async def test_customers_who_are_one_by_now_are_one_from_the_beginning(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given two customers, both welcomed, each with an order, who proved to be one; when history is played; then there
    is one customer with one welcome and both orders, who is gold by the sum, as the database says."""
    ana, ben = CUSTOMERS[:2]
    for name, who in (("a", ana), ("b", ben)):
        await rewards.happen(
            activity("customer.registered", f"reg-{name}", customer=who), order(name, "150", customer=who)
        )
    merged = {"from": ben, "parts": [ben], "epoch": 1}
    await rewards.happen(activity("customer.merged", "m", customer=ana, **merged))
    rewards.clock.advance(timedelta(hours=1))

    found = (await simulate(api, PROGRAM)).json()

    assert (found["customers"], found["same"]) == (1, 1)
    assert found["live"]["points_owed"] == (await posted(rewards))["owed"] == 400
    assert found["tiers"] == [{"live": "gold", "proposed": "gold", "customers": 1}]


async def test_a_program_without_redemption_has_no_money_to_show(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a proposed program that redeems nothing; when it is simulated; then its cost is null, not 0."""
    await rewards.happen(order("1", "100", customer=CUSTOMERS[0]))
    rewards.clock.advance(timedelta(hours=1))

    found = (await simulate(api, PROGRAM.replace("redeem: {", "redeem_not: {"))).json()
    assert found["code"] == "invalid_program"

    gone = "\n".join(line for line in PROGRAM.splitlines() if not line.strip().startswith("redeem:"))
    found = (await simulate(api, gone)).json()
    assert (found["live"]["cost"], found["proposed"]["cost"], found["difference"]["cost"]) == (
        "1.00",
        None,
        None,
    )


async def test_what_customers_spent_and_would_not_have_had_is_told(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a customer who spent 200 of 300 points; when a third of the points is simulated; then they spend the 100
    that they have, and 100 are short."""
    await rewards.happen(order("1", "300", customer=CUSTOMERS[0]))
    rewards.clock.advance(timedelta(hours=1))
    await redeem(api, CUSTOMERS[0], 200, "r", None)
    rewards.clock.advance(timedelta(hours=1))

    found = (await simulate(api, PROGRAM.replace("points_per_unit: 1}", "points_per_unit: 0.3334}"))).json()

    assert (found["live"]["points_spent"], found["live"]["points_short"]) == (200, 0)
    assert (found["proposed"]["points_spent"], found["proposed"]["points_short"]) == (100, 100)
    assert any("would not have had" in note for note in found["notes"])
