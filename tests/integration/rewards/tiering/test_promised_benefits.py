"""A program that comes to promise a tier's members a code, or takes the promise back, on a real database."""

from datetime import UTC, datetime, timedelta

from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.wiring.parts import programs_of
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.programs.test_unreadable_program import put_another_releases
from tests.integration.rewards.tiering.test_benefit_periods import AUGUST, issued, look
from tests.integration.rewards.tiering.test_tiers import BENEFITS, use
from tests.unit.rewards.building import NOW, order

LASTING = BENEFITS.replace("valid_for: P14D", "valid_for: P100D")
WITHOUT = LASTING.replace("{every: P1M, offer: five-off}, ", "")
DAY = timedelta(days=1)


async def test_what_was_missed_while_nobody_promised_it_is_not_made_up_for(rewards: Rewards) -> None:
    """Given Gold with a code each month, good for 100 days, that one program takes out and the next puts back after two
    months, while nobody looks; when it is back; then one code comes, for the month of now, and the next as another
    month begins. When nobody looks for two months after that, then what was missed comes late."""
    await use(rewards, LASTING)
    await rewards.happen(order("1", "250"))
    rewards.clock.set(NOW + 10 * DAY)
    await use(rewards, WITHOUT)
    rewards.clock.set(back := AUGUST + 9 * DAY)
    await use(rewards, LASTING)
    for _ in range(2):
        await look(rewards, back)
    assert await issued(rewards) == [NOW, back]

    await use(rewards, LASTING.replace("amount: 5", "amount: 6"))
    await look(rewards, late := datetime(2026, 10, 2, 12, tzinfo=UTC))
    assert await issued(rewards) == [NOW, back, late, late]


async def promised(rewards: Rewards, programs: PostgresPrograms) -> dict[tuple[str, str], datetime]:
    """Since when something has been promised without a break."""
    async with rewards.engine.connect() as connection:
        return dict((await programs.current(connection, rewards.clock())).promised)


async def test_since_when_a_code_is_promised_follows_from_the_versions(
    rewards: Rewards, settings: Settings, engine_for: EngineFor
) -> None:
    """Given a code that was there from the first, then a version without it, one that brings it back, one that nobody
    can read, one without the code that was replaced at once, and others; when it is asked since when it is promised, by
    who followed all of them and by who begins now; then it is since it was brought back, as long as a code that was
    given then would be good, and otherwise for longer than anybody need know."""
    followed = rewards.handler.programs
    assert isinstance(followed, PostgresPrograms)
    await put_another_releases(engine_for, rewards.clock, later=10 * DAY)
    since = dict[tuple[str, str], datetime]()
    for days, source, expected in (
        (0, LASTING, {}),
        (2, WITHOUT, {}),
        (3, LASTING.replace("amount: 5", "amount: 3"), since),
        (53, WITHOUT.replace("amount: 5", "amount: 4"), {}),
        (53, LASTING.replace("amount: 5", "amount: 4"), since),
        (103, LASTING, since),
        (104, LASTING.replace("amount: 5", "amount: 3"), {}),
    ):
        rewards.clock.set(NOW + days * DAY)
        since |= {("gold", "five-off"): rewards.clock()} if days == 3 else {}
        await use(rewards, source)
        assert await promised(rewards, followed) == expected
        assert await promised(rewards, programs_of(settings)) == expected
