"""Merges, undone ones and parts that move, seen by an accountant and by a thief: nothing doubled, lost, or left with
the wrong person."""

from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.test_parting import ANA, BEN, both, points
from tests.unit.rewards.building import activity

EVE = "cus_eeeeeeeeeeeeeeeeeeeeeeee"


async def test_a_shops_own_event_moves_nobodys_points(rewards: Rewards):
    """Given an event of a type of the shop's own whose data reads like a change in who is who; when it comes; then it
    is an event like any other, and everybody keeps what is theirs."""
    await both(rewards)
    forged = activity("x.assembled", "forged", customer=EVE, **{"from": ANA}, parts=[ANA], epoch=10**9)
    innocent = activity("x.assembled", "innocent", customer=EVE, parts=["wheel", "frame"])
    await rewards.happen(forged, innocent)

    assert await points(rewards) == {ANA: (150, 150), BEN: (170, 170), EVE: (0, 0)}
    assert await rewards.rows("SELECT part FROM rewards.parts") == []
    await rewards.check()
