"""`regulars ledger verify`: a sound ledger passes, and every kind of planted fault is found."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from typer.testing import Result

from services.rewards.adapters.points.proving import PROOFS, prove
from tests.integration.deploy.test_commands import regulars  # noqa: F401  # a fixture
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.two_members import ANA, BEN, both, went
from tests.unit.rewards.building import activity, order, refund

Regulars = Callable[..., Awaitable[Result]]


async def found(rewards: Rewards) -> dict[str, list[str]]:
    """By proof, whom it found."""
    async with rewards.engine.begin() as connection:
        return {
            what: [each.who for each in findings] async for what, findings in prove(connection) if findings
        }


async def live(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """A ledger in which everything has happened once: earned, held, spent, refunded into debt, expired, merged,
    undone."""
    await both(rewards)
    key = {"Idempotency-Key": "k"}
    made = await api.post(
        "/v1/redemptions", json={"customer": ANA, "points": 120, "order_id": "x"}, headers=key
    )
    await api.post(f"/v1/redemptions/{made.json()['id']}/confirm")
    await api.post("/v1/redemptions", json={"customer": BEN, "points": 110}, headers={"Idempotency-Key": "l"})
    await rewards.happen(refund("a1", "r1", "50.00", customer=ANA))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    await rewards.happen(
        order("c1", "25", customer="cus_c"), activity("review.posted", "rc", customer="cus_c")
    )
    rewards.clock.advance(timedelta(days=400))
    await rewards.pass_time()
    await rewards.happen(order("c2", "40", customer="cus_c", at=rewards.clock()))
    await rewards.happen(refund("c1", "rc1", "25", customer="cus_c", at=rewards.clock()))


async def test_a_sound_ledger_is_proved(rewards: Rewards, api: httpx.AsyncClient, regulars: Regulars) -> None:  # noqa: F811
    """Given a ledger in which everything has happened; when it is verified; then every proof holds."""
    await live(rewards, api)
    assert await found(rewards) == {}
    answer = await regulars("ledger", "verify")
    assert answer.exit_code == 0, answer.output
    assert answer.output.count("ok ") == len(PROOFS)
    assert "WRONG" not in answer.output


PLANTED = {
    "balances are the sums of their entries": "UPDATE rewards.members SET debt = debt + 1, available = 0"
    " WHERE customer_id = 'cus_c'",
    "entries are numbered without gaps, and all counted": "UPDATE rewards.entries SET number = number + 1000"
    " WHERE customer_id = 'cus_c' AND number = 2",
    "lots hold the balance": "UPDATE rewards.lots SET points = points + 7, remaining = remaining + 7"
    " WHERE customer_id = 'cus_c' AND remaining > 0",
    "each lot holds what its entries sum up to": "UPDATE rewards.lots SET lot = lot + 1"
    " WHERE customer_id = 'cus_c' AND remaining > 0",
    "what expired of each lot is what its entries say": "UPDATE rewards.lots SET expired = expired - 1"
    " WHERE customer_id = 'cus_c' AND expired > 0",
    "reserved points are those of open redemptions": "UPDATE rewards.redemptions SET status = 'reserved',"
    " customer_id = 'cus_c'",
    "points move only as their kind allows": "UPDATE rewards.entries SET kind = 'reserve'"
    " WHERE customer_id = 'cus_c' AND number = 2",
    "merges neither make nor lose points": "UPDATE rewards.entries SET points = points + 1"
    " WHERE (customer_id, number) IN (SELECT customer_id, number FROM rewards.entries WHERE kind = 'merge' LIMIT 1)",
    "points ever earned are those earned less those taken back": "UPDATE rewards.members"
    " SET lifetime_earned = lifetime_earned + 1 WHERE customer_id = 'cus_c'",
    "entries were written in the order of their numbers": "UPDATE rewards.entries"
    " SET recorded_at = recorded_at + interval '9 years' WHERE customer_id = 'cus_c' AND number = 2",
    "the books by day are the sums of the entries": "UPDATE rewards.booked SET points = points + 1"
    " WHERE (day, credit) IN (SELECT day, credit FROM rewards.booked WHERE credit = 'program:expired' LIMIT 1)",
    "the guards of the database stand": "ALTER TABLE rewards.lots DISABLE TRIGGER lots_balanced",
}


@pytest.mark.parametrize("what", PROOFS)
async def test_a_planted_fault_is_found(rewards: Rewards, api: httpx.AsyncClient, what: str) -> None:
    """Given a sound ledger; when somebody who may switch the guards off plants a fault; then this proof names it."""
    await live(rewards, api)
    await rewards.plant(PLANTED[what])
    assert what in await found(rewards)


@pytest.mark.parametrize(
    "fault",
    [
        "DROP TRIGGER entries_are_append_only ON rewards.entries",
        "ALTER TABLE rewards.entries OWNER TO regulars_rewards",
        "ALTER TABLE rewards.members DISABLE TRIGGER ALL",
        "DELETE FROM rewards.members",
        "DELETE FROM rewards.lots",
        "DELETE FROM rewards.entries WHERE number = 1",
    ],
)
async def test_verify_names_what_is_wrong_and_fails(
    rewards: Rewards,
    regulars: Regulars,  # noqa: F811
    fault: str,
) -> None:
    """Given a ledger that was tampered with; when the operator verifies it; then it says what and who, and ends with
    1."""
    await rewards.happen(order("1", "10"))
    await rewards.plant(fault)
    answer = await regulars("ledger", "verify", "--json")
    assert answer.exit_code == 1
    assert any(json.loads(answer.output).values())
