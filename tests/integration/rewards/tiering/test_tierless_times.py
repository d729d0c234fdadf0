"""A time without tiers: what was bought in it counts once there are tiers again, and what time owes is made up for."""

from datetime import timedelta

from services.rewards.adapters.programs import PostgresPrograms
from services.rewards.wiring.parts import programs_of
from shared.program.versions.store import activate
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import NOW, PROGRAM, activity, order, refund

WITHOUT = PROGRAM[: PROGRAM.index("tiers:")] + PROGRAM[PROGRAM.index("offers:") :]
DAY = timedelta(days=1)


async def put(rewards: Rewards, settings: Settings, source: str) -> None:
    """Put a program in force."""
    programs = programs_of(settings)
    async with rewards.engine.begin() as connection:
        await programs.put(connection, source, actor="key", now=rewards.clock())
    object.__setattr__(rewards.handler, "programs", programs)
    object.__setattr__(rewards.jobs, "programs", programs)


async def go_back(rewards: Rewards) -> None:
    """Put the first version, which has tiers, in force again."""
    async with rewards.engine.begin() as connection:
        await activate(connection, 1, actor="key", now=rewards.clock())
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    programs.look_again()


async def bought(rewards: Rewards, number: int, total: str) -> None:
    """An order of now, with the facts that scoring would tell."""
    facts = {"orders": number, "spend": 1000, "first_order_at": NOW}
    await rewards.happen(order(f"o{number}", total, at=rewards.clock(), facts=facts))


async def tier(rewards: Rewards) -> tuple[str | None, str]:
    """The customer's tier, and what counts for it."""
    ((tier, spend),) = await rewards.rows("SELECT tier, spend::text FROM rewards.members")
    return tier, spend


async def test_orders_of_before_there_were_tiers_count(rewards: Rewards, settings: Settings) -> None:
    """Given orders under a program without tiers; when the next version has tiers, and another order comes; then all of
    them count."""
    await put(rewards, settings, WITHOUT)
    await bought(rewards, 1, "150")
    await bought(rewards, 2, "45")
    await go_back(rewards)
    rewards.clock.advance(DAY)
    await bought(rewards, 3, "10")

    assert await tier(rewards) == ("gold", "205")


async def test_orders_and_refunds_of_a_time_without_tiers_count(rewards: Rewards, settings: Settings) -> None:
    """Given orders before and in a time without tiers, one of each refunded; when tiers are back, and time goes on
    until the first leave the window; then just what was paid counts, and never less than nothing."""
    await bought(rewards, 1, "50")
    await put(rewards, settings, WITHOUT)
    rewards.clock.advance(DAY)
    await bought(rewards, 2, "100")
    await rewards.happen(refund("o1", "r1", "20"), refund("o2", "r2", "30"))
    await go_back(rewards)
    await bought(rewards, 3, "10")
    assert await tier(rewards) == (None, "110")

    rewards.clock.advance(timedelta(days=400))
    await bought(rewards, 4, "10")
    assert await tier(rewards) == (None, "10")


async def test_a_customer_with_a_row_but_no_order_yet(rewards: Rewards) -> None:
    """Given somebody who registered before; when they order; then the order counts once."""
    await rewards.happen(activity("customer.registered", "here"))
    await bought(rewards, 1, "50")
    assert await tier(rewards) == (None, "50")


async def test_a_tier_that_ended_while_there_were_none_is_looked_at_when_there_are(
    rewards: Rewards, settings: Settings
) -> None:
    """Given a gold member; when gold ends while a program without tiers is in force, put there by mistake; then the way
    back ends gold, instead of keeping it for ever."""
    await bought(rewards, 1, "300")
    assert await tier(rewards) == ("gold", "300")
    await put(rewards, settings, WITHOUT)
    rewards.clock.advance(timedelta(days=400))
    await rewards.pass_time()
    await go_back(rewards)
    await rewards.pass_time()

    assert (await tier(rewards))[0] == "member"
