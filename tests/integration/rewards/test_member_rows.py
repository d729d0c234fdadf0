"""A member's row is written as far as it has changed, however often within a transaction."""

from sqlalchemy import text

from services.rewards.domain.changes import Changes
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import CUSTOMER, NOW, order

ROW = "SELECT tier, tier_changes, available, spend FROM rewards.members"


async def test_a_standing_that_comes_and_goes_within_a_transaction_is_written_each_time(
    rewards: Rewards,
) -> None:
    """Given a member without a tier; when one transaction gives a tier, writes it, takes it back and writes again; then
    the row has none."""
    await rewards.happen(order("1", "10"))
    before = await rewards.rows(ROW)
    async with rewards.engine.begin() as connection:
        members = rewards.handler.members
        member = (await members.lock(connection, [CUSTOMER], create=False))[CUSTOMER]
        for tier in ("gold", None):
            member.tier = tier
            changes = Changes(NOW, 1)
            changes.stand(member)
            await members.save(connection, changes)
    assert await rewards.rows(ROW) == before


async def test_what_leaves_the_standing_as_it_is_does_not_write_it(rewards: Rewards) -> None:
    """Given two members who earn, one of whom also gets a tier; when they are saved together; then each row has what
    is new, and what was written to the other's standing since it was read is still there."""
    await rewards.happen(order("1", "10"), order("2", "20", customer="other"))
    async with rewards.engine.begin() as connection:
        members = rewards.handler.members
        found = await members.lock(connection, [CUSTOMER, "other"], create=False)
        changes = Changes(NOW, 1)
        found[CUSTOMER].tier = "gold"
        for member in found.values():
            member.lifetime_earned += 7
            changes.touch(member)
        await connection.execute(
            text("UPDATE rewards.members SET tier_changes = 3 WHERE customer_id = 'other'")
        )
        await members.save(connection, changes)
    query = "SELECT tier, tier_changes, lifetime_earned FROM rewards.members ORDER BY lifetime_earned"
    assert await rewards.rows(query) == [("gold", 0, 17), (None, 3, 27)]
