"""Alerts in rewards: raised beside what else is decided, told of once on the outcomes."""

from datetime import timedelta

from sqlalchemy import text

from services.rewards.domain.changes import Changes
from services.rewards.domain.state.member import Member
from shared.alerts.alert import NewAlert
from shared.alerts.raising import raise_alerts
from shared.contracts.outcomes import Outcome
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, went
from tests.unit.rewards.building import activity


async def told(rewards: Rewards) -> list[Outcome]:
    """What the outcomes say of alerts."""
    return [one for one in await rewards.outcomes() if one.type.startswith("alert.")]


async def test_what_a_decision_raises_is_told_once_and_its_closing_too(rewards: Rewards) -> None:
    """Given a decision that raises an alert about a customer; when time passes again and again, and somebody closes
    it; then the outcomes have said once that it was raised and once that it was closed, and no word of the note."""
    await alarm(rewards, Member(ANA), "act-1")
    await rewards.pass_time()
    await rewards.pass_time()

    (raised,) = await told(rewards)
    assert (raised.type, raised.customer_id, raised.cause) == ("alert.raised", ANA, "act-1")
    assert raised.data["kind"] == "loyal-at-risk"
    assert raised.data["details"] == {"orders": 9}

    rewards.clock.advance(timedelta(hours=1))
    async with rewards.engine.begin() as connection:
        await connection.execute(
            text("UPDATE platform.alerts SET closed_at = :now, closed_by = 'k', note = 'x', tell = true"),
            {"now": rewards.clock()},
        )
    await rewards.pass_time()
    await rewards.pass_time()

    (_, closed) = await told(rewards)
    assert (closed.type, closed.time) == ("alert.closed", rewards.clock())
    assert closed.data["tell"] is True
    assert "note" not in closed.data
    assert closed.id != raised.id


async def test_what_is_about_the_shop_is_told_without_a_customer(rewards: Rewards) -> None:
    """Given an alert that another service raised about the shop; when time passes; then it is told, and the customer
    is empty."""
    alert = NewAlert(kind="falling-opens", cause="2026-06-01", at=rewards.clock(), details={"share": "0.11"})
    async with rewards.engine.begin() as connection:
        await raise_alerts(connection, [alert])
    await rewards.pass_time()

    (raised,) = await told(rewards)
    assert (raised.customer_id, raised.data["alert_id"]) == ("", alert.id)
    assert await rewards.rows("SELECT 1 FROM rewards.members") == []


async def test_alerts_follow_a_merge_on_the_stream_and_come_back(rewards: Rewards) -> None:
    """Given alerts of two customers; when they prove to be one, and two after all; then each has their own again, also
    what was raised for the one's doing while they were one."""

    async def whose() -> dict[str, str]:
        rows = await rewards.rows("SELECT cause, customer_id FROM platform.alerts")
        return {cause: customer for cause, customer in rows}  # noqa: C416  # rows are not tuples

    for customer, name in ((ANA, "ana"), (BEN, "ben")):
        await rewards.happen(activity("login.recorded", name, customer=customer))
        await alarm(rewards, Member(customer), name)
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    assert await whose() == {"ana": ANA, "ben": ANA}
    await alarm(rewards, Member(ANA, part=BEN), "meanwhile", kind="other")
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    assert await whose() == {"ana": ANA, "ben": BEN, "meanwhile": BEN}


async def alarm(rewards: Rewards, member: Member, cause: str, kind: str = "loyal-at-risk") -> None:
    """A decision that raises an alert."""
    changes = Changes(rewards.clock(), 1)
    changes.alert(member, kind, rule="save-loyal", cause=cause, details={"orders": 9})
    async with rewards.engine.begin() as connection:
        await rewards.jobs.members.save(connection, changes)
