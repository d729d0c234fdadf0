"""A program of campaigns, and what happens to customers that they begin on."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from msgspec import structs

from services.rewards.adapters.programs import PostgresPrograms
from shared.contracts.activity import Activity, Change
from shared.contracts.outcomes import Outcome
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, activity

HEAD = """
name: Campaigns
currency: USD
time_zone: America/New_York
points:
  expire_after: P12M
  notice_before: P30D
  earn: [{id: purchase, on: order.completed, points_per_unit: 1}]
tiers:
  basis: {spend_over: P12M}
  levels: [{id: member, name: Member}, {id: gold, name: Gold, at: 200.01, keep_for: P12M}]
offers:
  miss-you: {discount: {percent: 10}, valid_for: P30D}
  fifth: {gift: tote-bag, valid_for: P60D}
milestones: [{id: fifth-purchase, when: "customer.orders == 5", offer: fifth}]
templates:
  hello: {subject: Hello, text: How are you?}
  again: {subject: Again, text: How are you today?}
  ticket: {subject: Your ticket, text: We are on it., purpose: service}
campaigns:
"""


async def run_program(rewards: Rewards, *campaigns: str) -> None:
    """Put a program with these campaigns in force."""
    await put(rewards, HEAD + "".join(f"  - {campaign}\n" for campaign in campaigns))


async def put(rewards: Rewards, source: str) -> None:
    """Put a program in force."""
    programs = cast("PostgresPrograms", rewards.handler.programs)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, source, actor="test", now=rewards.clock())


def lapsed(name: str = "lapsed", **more: Any) -> Activity:
    """Time alone has let a customer lapse."""
    return activity("stage.changed", name, **{"from": "active", "to": "lapsed"}, **more)


def with_changes(told: Activity, *changes: Change) -> Activity:
    """The activity, which changed these things about the customer."""
    return structs.replace(told, changes=list(changes))


def of_type(outcomes: list[Outcome], type_: str) -> list[Outcome]:
    """The outcomes of a type, in order."""
    return [outcome for outcome in outcomes if outcome.type == type_]


def after(days: float) -> datetime:
    """So many days after the tests' now."""
    return NOW.astimezone(UTC) + timedelta(days=days)


async def states(rewards: Rewards, customer: str = CUSTOMER) -> list[tuple[str, str]]:
    """The campaign and state of each run of a customer, oldest first."""
    rows = await rewards.rows(
        "SELECT campaign, state FROM rewards.campaign_runs WHERE customer_id = :customer ORDER BY started_at, campaign",
        customer=customer,
    )
    return [tuple(row) for row in rows]
