"""Timed jobs of which one member's work fails."""

import asyncio
from datetime import datetime, timedelta

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.rewards.entrypoints.due_work import SET_ASIDE_FOR, DueWork
from tests.integration.rewards.campaigns.campaigning import after, lapsed, run_program, states
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import activity

MEMBERS = [f"cus_{number:024d}" for number in range(7)]
BROKEN = MEMBERS[3]


async def test_one_members_fault_holds_up_nobody_else(rewards: Rewards):
    """Given members whose points expire, and one whose stored balance is not what the lots hold; when the jobs run;
    then everybody else's points expire, the one is set aside, logged and counted, and tried again after a while."""
    await rewards.happen(*(activity("customer.registered", f"r-{each}", customer=each) for each in MEMBERS))
    await _set_balance(rewards, 1)
    rewards.clock.advance(timedelta(days=400))
    work = DueWork(rewards.engine, rewards.jobs, rewards.clock)
    counted = _counted()
    with capture_logs() as logs:
        await work.once(asyncio.Event())
        await work.once(asyncio.Event())

    assert await _available(rewards) == {each: 1 if each == BROKEN else 0 for each in MEMBERS}
    assert work.trouble == "move_points: 1 members set aside"
    assert [(each["event"], each["customer"]) for each in logs if each["log_level"] == "error"] == [
        ("due_work_set_aside", BROKEN)
    ]
    assert _counted() == counted + 1

    await _set_balance(rewards, 100)
    rewards.clock.advance(SET_ASIDE_FOR)
    await work.once(asyncio.Event())
    assert await _available(rewards) == dict.fromkeys(MEMBERS, 0)
    assert work.trouble is None
    await rewards.check()


async def test_campaigns_wait_until_the_stream_was_read(rewards: Rewards) -> None:
    """Given a run that fell due while nobody worked, and a return of the customer that waits unread; when the jobs run,
    then they leave it alone; once the stream has been read, then they know that nobody is to be missed."""
    back = (
        "{id: back, on: stage.changed, when: \"event.to == 'lapsed'\", after: P14D, do: [{message: hello}]}"
    )
    await run_program(rewards, back)
    await rewards.happen(lapsed(facts={"stage": "lapsed"}))
    rewards.clock.now = after(20)
    read = [None, after(9), after(20)]

    async def read_until(_: datetime) -> datetime | None:
        return read[0]

    work = DueWork(rewards.engine, rewards.jobs, rewards.clock, read_until)
    while read[0] != after(20):
        await work.once(asyncio.Event())
        assert await states(rewards) == [("back", "waiting")]
        read.pop(0)
    await rewards.happen(activity("page.viewed", "b", at=after(10), facts={"stage": "won_back"}))
    await work.once(asyncio.Event())
    assert await states(rewards) == [("back", "unmet")]


async def _set_balance(rewards: Rewards, points: int) -> None:
    """Somebody has written into the table by hand, past all that guards it."""
    await rewards.plant(f"UPDATE rewards.members SET available = {points} WHERE customer_id = '{BROKEN}'")


async def _available(rewards: Rewards) -> dict[str, int]:
    return dict(await rewards.rows("SELECT customer_id, available FROM rewards.members"))


def _counted() -> float:
    labels = {"job": "move_points"}
    return REGISTRY.get_sample_value("regulars_due_work_set_aside_total", labels) or 0.0
