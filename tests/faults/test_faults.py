"""A short fault round on either bus; `make faults ROUNDS=100` is the long one."""

import pytest

from tests.faults.round import fault_round, stack_with_mail
from tests.support.stack import Bus


@pytest.mark.slow
@pytest.mark.timeout(700)  # with time for a machine in use, and for a consumer that its watchdog ends
@pytest.mark.xdist_group("kafka")
@pytest.mark.parametrize("bus", ["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
async def test_every_accepted_event_has_exactly_one_effect_whatever_is_killed(bus: Bus) -> None:
    """Given load on real processes; when each is killed at random moments; then nothing is lost or doubled."""
    async with stack_with_mail(bus) as (stack, mailbox):
        report = await fault_round(stack, mailbox, seed=20_261, seconds=15)

    assert report.posted > 0
    assert report.kills
    assert report.letters > 0
