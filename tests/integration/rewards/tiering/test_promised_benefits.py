"""A program that comes to promise a tier's members a code, or takes the promise back, on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.wiring.parts import programs_of
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.programs.test_unreadable_program import put_another_releases
from tests.integration.rewards.tiering.test_benefit_periods import AUGUST, issued, look
from tests.integration.rewards.tiering.test_tiers import BENEFITS, use
from tests.integration.rewards.two_members import ANA, BEN, went
from tests.unit.rewards.building import NOW, order, refund

LASTING = BENEFITS.replace("valid_for: P14D", "valid_for: P100D")
WITHOUT = LASTING.replace("{every: P1M, offer: five-off}, ", "")
DAY = timedelta(days=1)
CODES = "SELECT customer_id, code FROM rewards.offers ORDER BY 1"


async def work(rewards: Rewards, limit: int) -> None:
    """A worker looks at so many members at a time, until nothing is due."""
    done = 1
    while done:
        async with rewards.engine.begin() as connection:
            done = await rewards.jobs.review_tiers(connection, rewards.clock(), limit=limit)


async def test_who_has_the_tier_gets_what_a_program_adds_within_moments_and_once(rewards: Rewards) -> None:
    """Given 20 Golds, of whom three have lost it; when a program gives Gold a monthly code, a worker dies as it looks,
    and two others look, at a few at a time; then each Gold has one code, the one that the dead had made; nothing is to
    be done until a month after the program began, when each has the next. When a program gives another code in its
    place, then each has one of that."""
    golds = [f"cus_{n:024x}" for n in range(20)]
    await use(rewards, WITHOUT)
    await rewards.happen(*(order(customer, "250", customer=customer) for customer in golds))
    await rewards.happen(*(refund(lost, f"r-{lost}", "250", customer=lost) for lost in golds[17:]))
    await rewards.pass_time()
    rewards.clock.set(began := NOW + 40 * DAY)
    await use(rewards, BENEFITS)
    async with rewards.engine.connect() as connection:
        await rewards.jobs.review_tiers(connection, began)
        made = list(await connection.execute(text(CODES)))
        await connection.rollback()

    await asyncio.gather(work(rewards, 3), work(rewards, 3))
    assert [customer for customer, _ in made] == golds[:17]
    assert await rewards.rows(CODES) == made
    before = await rewards.dump()
    next_one = began + 31 * DAY
    await look(rewards, next_one - timedelta(seconds=1))
    assert await rewards.dump() == before
    await look(rewards, next_one)
    assert [await issued(rewards, customer) for customer in golds[:17]] == [[began, next_one]] * 17

    await use(rewards, BENEFITS.replace("P1M, offer: five-off", "P1M, offer: fifth"))
    await look(rewards, next_one)
    count = "SELECT offer, count(*), count(DISTINCT customer_id) FROM rewards.offers GROUP BY 1 ORDER BY 1"
    assert await rewards.rows(count) == [("fifth", 17, 17), ("five-off", 34, 17)]


async def test_who_reached_the_tier_again_meanwhile_gets_what_is_put_back(rewards: Rewards) -> None:
    """Given Gold with a monthly code; when it is lost, a program takes the code out, Gold is reached again, and a
    program puts the code back in the next month; then it comes."""
    await use(rewards, LASTING)
    await rewards.happen(order("1", "250"))
    await rewards.happen(refund("1", "r1", "250"))
    await use(rewards, WITHOUT)
    await rewards.happen(order("2", "250"))
    await rewards.pass_time()
    rewards.clock.set(back := NOW + 40 * DAY)
    await use(rewards, LASTING)
    await look(rewards, back)
    assert await issued(rewards) == [NOW, back]


@pytest.mark.parametrize("kept", ["keep_for: P12M, ", ""])
async def test_history_does_not_keep_back_what_a_program_adds(rewards: Rewards, kept: str) -> None:
    """Given Gold, for a year or for good; when a program gives it a monthly code, and before somebody looks, imported
    history shows that Gold began earlier; then the code comes within moments."""
    await use(rewards, WITHOUT.replace("keep_for: P12M, ", kept))
    await rewards.happen(order("1", "250"))
    rewards.clock.set(began := NOW + 40 * DAY)
    await use(rewards, BENEFITS.replace("keep_for: P12M, ", kept))
    past = order("2", "250", at=NOW - 20 * DAY, historical=True, late=True, facts={"spend": 500})
    await rewards.happen(past)
    await look(rewards, began)
    assert await issued(rewards) == [began]


@pytest.mark.parametrize("kept", ["keep_for: P12M, ", ""])
async def test_who_is_one_with_another_gets_what_is_added_when_they_are_two_again(
    rewards: Rewards, kept: str
) -> None:
    """Given Ana and Ben, both Gold, for a year or for good, who prove to be one; when a program gives Gold a monthly
    code; then they have one; when they are two again, a month later, then each has one of that month."""
    without, with_code = (source.replace("keep_for: P12M, ", kept) for source in (WITHOUT, BENEFITS))
    await use(rewards, without)
    await rewards.happen(order("a", "250", customer=ANA), order("b", "250", customer=BEN))
    await rewards.happen(went("customer.merged", BEN, ANA, [BEN], 1))
    await use(rewards, with_code)
    await look(rewards, NOW)
    assert (await issued(rewards, ANA), await issued(rewards, BEN)) == ([NOW], [])

    rewards.clock.set(later := NOW + 31 * DAY)
    await rewards.happen(went("customer.unmerged", ANA, BEN, [BEN], 2))
    await look(rewards, later)
    assert (await issued(rewards, ANA), await issued(rewards, BEN)) == ([NOW, later], [later])


@pytest.mark.parametrize("looks", [True, False])
async def test_what_was_missed_while_nobody_promised_it_is_not_made_up_for(
    rewards: Rewards, looks: bool
) -> None:
    """Given Gold with a code each month, good for 100 days, that one program takes out and the next puts back after two
    months, whether or not somebody looks meanwhile; when it is back; then one code comes, for the month of now. When
    nobody looks for two months after that, then what was missed comes late."""
    await use(rewards, LASTING)
    await rewards.happen(order("1", "250"))
    rewards.clock.set(NOW + 10 * DAY)
    await use(rewards, WITHOUT)
    if looks:
        await look(rewards, AUGUST + DAY)
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
