"""`?at=`: what a customer had at a moment is what was answered then."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from shared.auth.keys import create_key
from shared.auth.scopes import Scope
from tests.conftest import EngineFor
from tests.integration.rewards.campaigns.campaigning import put
from tests.integration.rewards.conftest import TOKEN, Rewards
from tests.integration.rewards.two_members import ANA, BEN, both, went
from tests.support.moments import heeding_at
from tests.unit.rewards.building import CUSTOMER, PROGRAM, activity, cancellation, order, refund

WAITING = PROGRAM.replace("expire_after: P12M", "expire_after: P40D\n  pending_for: P3D").replace(
    "milestones:",
    """milestones:
  - {id: first, when: "customer.orders == 1", offer: five-off}
  - {id: third, when: "customer.orders == 3", offer: five-off}""",
)
RENEWED = PROGRAM.replace("expire_after: P12M", "expire_after: P40D\n  renewed_by: [order.completed]")

Answers = dict[str, Any]


class Story:
    """A customer's life by chance, and what was answered after each step of it."""

    def __init__(self, rewards: Rewards, api: httpx.AsyncClient, seed: int) -> None:
        self.rewards, self.api, self.random = rewards, api, Random(seed)
        self.told: list[tuple[datetime, Answers]] = []
        self.orders: list[str] = []
        self.open: list[str] = []

    async def go_on(self, step: int) -> None:
        """Something happens, or only time passes; then look. Nothing else happens at a moment of which was told."""
        self.rewards.clock.advance(timedelta(minutes=1))
        name, now = f"s{step}", self.rewards.clock()
        kind = self.random.choice(
            (
                "order",
                "order",
                "order",
                "refund",
                "cancel",
                "reserve",
                "end",
                "adjust",
                "code",
                "time",
                "jobs",
            )
        )
        key = {"Idempotency-Key": name}
        if kind == "order":
            facts = {"orders": len(self.orders) + 1}
            await self.rewards.happen(order(name, f"{self.random.randint(1, 300)}", at=now, facts=facts))
            self.orders.append(name)
        elif kind == "refund" and self.orders:
            await self.rewards.happen(
                refund(self.random.choice(self.orders), name, f"{self.random.randint(1, 90)}", at=now)
            )
        elif kind == "cancel" and self.orders:
            await self.rewards.happen(cancellation(self.random.choice(self.orders), name=name, at=now))
        elif kind == "reserve":
            body = {"customer": CUSTOMER, "points": 100, "order_id": name}
            answer = await self.api.post("/v1/redemptions", json=body, headers=key)
            self.open += [answer.json()["id"]] if answer.status_code == 201 else []
        elif kind == "end" and self.open:
            how = self.random.choice(("confirm", "release"))
            await self.api.post(f"/v1/redemptions/{self.open.pop()}/{how}")
        elif kind == "adjust":
            body = {"customer": CUSTOMER, "points": self.random.choice((-30, 40)), "reason": "x"}
            await self.api.post("/v1/adjustments", json=body, headers=key)
        elif kind == "code":
            await self.use_or_give_back(name, key)
        elif kind == "jobs":
            await self.rewards.pass_time()
        await self.look()
        self.rewards.clock.advance(
            timedelta(minutes=self.random.choice((1, 20, 600, 60 * 24 * 2, 60 * 24 * 9)))
        )
        await self.look()

    async def use_or_give_back(self, name: str, key: dict[str, str]) -> None:
        """A code of theirs is used for an order, or given back."""
        offers = (await self.api.get(f"/v1/customers/{CUSTOMER}/offers")).json()["items"]
        if not offers:
            return
        code = self.random.choice(offers)["code"]
        body: dict[str, Any] = {"customer": CUSTOMER, "order": {"order_id": name, "total": "50"}}
        await self.api.post(f"/v1/offers/{code}/redeem", json=body, headers=key)
        if self.random.random() < 0.5:
            self.rewards.clock.advance(timedelta(minutes=1))
            await self.look()
            self.rewards.clock.advance(timedelta(minutes=1))
            released = {"customer": CUSTOMER, "order_id": name}
            await self.api.post(
                f"/v1/offers/{code}/release", json=released, headers={"Idempotency-Key": f"{name}-back"}
            )

    async def look(self) -> None:
        """Note what is answered now."""
        self.told.append((self.rewards.clock(), await answers(self.api)))


async def answers(api: httpx.AsyncClient, customer: str = CUSTOMER, **query: Any) -> Answers:
    """Points and offers, all pages of these."""
    points = await api.get(f"/v1/customers/{customer}/points", params=query)
    assert points.status_code in {200, 404}, points.text
    offers: list[Any] = []
    cursor: dict[str, str] = {}
    while points.status_code == 200:
        page = (
            await api.get(f"/v1/customers/{customer}/offers", params={**query, **cursor, "limit": 2})
        ).json()
        offers += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    return {"points": points.json(), "offers": offers}


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_answered_is_answered_of_that_moment(
    rewards: Rewards, api: httpx.AsyncClient, seed: int
) -> None:
    """Given a life of orders, refunds, redemptions, codes, adjustments, with points that wait and expire, noticed
    by the timed jobs or not yet; when each moment of it is asked for again; then the answer is that of then."""
    await put(rewards, WAITING)
    await rewards.happen(activity("customer.registered", "reg", at=rewards.clock()))
    story = Story(rewards, api, seed)
    for step in range(30):
        await story.go_on(step)

    assert len({str(told) for _, told in story.told}) > 15
    assert len({str(offers) for _, told in story.told for offers in told["offers"]}) > 3
    for moment, told in story.told:
        assert await answers(api, at=moment.isoformat()) == told, moment
    later = (rewards.clock() + timedelta(days=1)).isoformat()
    assert await answers(api, at=later) == await answers(api)


async def test_whoever_was_merged_since_counts_as_the_one_that_they_are(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given two customers, one of whom spends, who were merged since; when the time before is asked for; then the
    account has what both had, and after it what was answered."""
    await both(rewards)
    made = await api.post(
        "/v1/redemptions", json={"customer": ANA, "points": 120}, headers={"Idempotency-Key": "k"}
    )
    before = rewards.clock().isoformat()
    ana, ben = [(await answers(api, who))["points"] for who in (ANA, BEN)]
    rewards.clock.advance(timedelta(minutes=1))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    merged, told = rewards.clock().isoformat(), (await answers(api, ANA))["points"]
    rewards.clock.advance(timedelta(minutes=1))
    await api.post(f"/v1/redemptions/{made.json()['id']}/confirm")
    await rewards.happen(order("a9", "70", customer=ANA, at=rewards.clock()))

    for who in (ANA, BEN):
        then = (await answers(api, who, at=before))["points"]
        assert {name: then[name] for name in then if name != "expiring"} == {
            name: ana[name] + ben[name] for name in then if name != "expiring"
        }
        assert (await answers(api, who, at=merged))["points"] == told


async def test_before_an_account_was_divided_nothing_is_answered(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a merge that was undone; when a moment before is asked for; then it is refused, with what can be asked;
    from then on it is answered."""
    await both(rewards)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    rewards.clock.advance(timedelta(minutes=1))
    before = rewards.clock().isoformat()
    rewards.clock.advance(timedelta(minutes=1))
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    divided, told = rewards.clock().isoformat(), [await answers(api, who) for who in (ANA, BEN)]
    rewards.clock.advance(timedelta(minutes=1))
    await rewards.happen(order("a9", "70", customer=ANA, at=rewards.clock()))

    for who in (ANA, BEN):
        for what in ("points", "offers"):
            refused = await api.get(f"/v1/customers/{who}/{what}", params={"at": before})
            (error,) = refused.json()["errors"]
            assert (refused.status_code, error["code"], error["parameter"]) == (422, "not_as_of", "at")
            assert "ask for a later moment" in error["detail"]
    assert [await answers(api, who, at=divided) for who in (ANA, BEN)] == told


async def test_ends_that_activity_has_moved_on_are_not_known(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given points that orders renew; when a moment is asked for at which there were some; then it is refused, for when
    they were to expire then is not kept; before there were any it is answered."""
    await put(rewards, RENEWED)
    await rewards.happen(activity("customer.registered", "reg", at=rewards.clock()))
    rewards.clock.advance(timedelta(days=1))
    await rewards.happen(order("1", "10", at=rewards.clock()))
    moment = rewards.clock()
    rewards.clock.advance(timedelta(days=1))

    refused = await api.get(f"/v1/customers/{CUSTOMER}/points", params={"at": moment.isoformat()})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "not_as_of")
    assert "statement" in refused.json()["errors"][0]["detail"]
    none = await answers(api, at=(moment - timedelta(days=2)).isoformat())
    assert none["points"]["available"] == 0


async def test_every_route_heeds_a_moment_or_refuses_it(
    rewards: Rewards, api: httpx.AsyncClient, engine_for: EngineFor
) -> None:
    """Given all routes of rewards and deliveries; when one is asked as of a moment, whatever it does, those at the
    checkout that go round the framework too; then it heeds that, or refuses it with where to ask, and does nothing;
    and first of all it refuses whoever may not ask."""
    async with engine_for(None).begin() as connection:
        lacking = await create_key(connection, name="shop", scopes=[Scope.EVENTS_WRITE], now=rewards.clock())
    before = await rewards.dump()
    answers = {f"get /v1/customers/{{customer}}/{what}" for what in ("points", "offers", "tier")}
    starting = {"put /v1/program", "post /v1/program/check"}  # in force from that moment on
    assert await heeding_at(api, TOKEN, lacking.token) == answers | starting
    assert await rewards.dump() == before


async def test_links_that_customers_follow_are_not_refused(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given the address of a link in a message; when somebody added `at` to it; then that is passed over."""
    assert (await api.get("/c/unknown", params={"at": "noon"})).status_code == 404
