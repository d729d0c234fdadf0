"""A shop that runs one campaign with a hold-out, and asks what it brought."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from shared.contracts.activity import Activity
from shared.contracts.outcomes import message_id
from tests.integration.rewards.campaigns.campaigning import HEAD, after, of_type, put
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import activity, order

COME_BACK = (
    "{id: come-back, on: subscription.paused, do: [{offer: miss-you}, {message: hello}, {points: 50}],"
    " holdout: 50%, success: {on: order.completed, within: P30D}}"
)
PRICED = HEAD.replace("earn: [{id:", "redeem: {points: 100, value: 1.00}\n  earn: [{id:", 1)
REPORT = "/v1/campaigns/come-back/report"


def name(number: int) -> str:
    """A customer's id."""
    return f"cus_{number:024d}"


def paused(number: int, at: float = 0, key: str = "") -> Activity:
    """What the campaign begins on."""
    return activity("subscription.paused", f"paused-{number}{key}", customer=name(number), at=after(at))


async def arms(rewards: Rewards) -> dict[str, str]:
    """Each customer's arm, by their last run."""
    rows = await rewards.rows("SELECT customer_id, arm FROM rewards.campaign_runs ORDER BY started_at")
    return {customer: arm for customer, arm in rows}  # noqa: C416


@dataclass
class Shop:
    """Forty customers for whom the campaign began; who is in which arm, and what each was sent and given."""

    rewards: Rewards
    api: httpx.AsyncClient
    treated: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    async def happen(self, *activities: Activity) -> None:
        """Things happen, and it is a minute later."""
        self.rewards.clock.set(max(self.rewards.clock(), activities[-1].time + timedelta(minutes=1)))
        await self.rewards.happen(*activities)

    async def bought(self, customer: str, total: str, *, days: float, key: str = "") -> str:
        """The customer orders so many days later."""
        order_id = f"order-{customer}-{days}{key}"
        await self.happen(order(order_id, total, customer=customer, at=after(days)))
        return order_id

    async def heard(self, what: str, customer: str, *, days: float, message: str | None = None) -> None:
        """Deliveries tells what became of the customer's message."""
        data = {"message_id": message or self.messages[customer], "campaign": "come-back"}
        told = activity(what, f"{what}-{customer}-{days}", customer=customer, at=after(days), **data)
        await self.happen(told)

    async def report(self, **query: str) -> dict[str, Any]:
        """The report, now."""
        answer = await self.api.get(REPORT, params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def arm(self, which: str) -> dict[str, Any]:
        """An arm of the report."""
        found = await self.report()
        rows: dict[str, Any] = next(arm for arm in (*found["arms"], found["all"]) if arm["arm"] == which)
        return rows


async def begin(rewards: Rewards, api: httpx.AsyncClient) -> Shop:
    """The campaign has begun for forty customers."""
    await put(rewards, PRICED + f"  - {COME_BACK}\n")
    made = Shop(rewards, api)
    await made.happen(*(paused(number) for number in range(40)))
    for customer, arm in (await arms(rewards)).items():
        (made.alone if arm == "holdout" else made.treated).append(customer)
    told = await rewards.outcomes()
    made.messages = {one.customer_id: message_id(one.id) for one in of_type(told, "message.due")}
    made.codes = {one.customer_id: one.data["code"] for one in of_type(told, "offer.issued")}
    return made
