"""New thresholds come into effect for everybody: when the worker starts with them, all are folded anew."""

from datetime import timedelta

import pytest

from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.application.rebuilding import rebuild as rebuilding
from services.scoring.application.rebuilding.refold import Refold
from services.scoring.domain import settings as score_settings
from services.scoring.domain.settings import ScoreSettings
from tests.integration.scoring.rebuilding.test_rebuild import PATIENT, check, lives, rebuild_of
from tests.integration.scoring.world import World
from tests.support.life import SETTINGS, moment, order
from tests.support.rules import FixedRules


def refold_of(world: World, settings: ScoreSettings) -> Refold:
    """What a worker does that starts with these settings."""
    rebuilds = PostgresRebuilds()
    return Refold(
        rebuild=rebuild_of(world, settings), rebuilds=rebuilds, folded=rebuilds, rules=FixedRules(settings)
    )


async def steps(world: World, refold: Refold, most: int = 1_000) -> int:
    """Follow for so many steps, or as long as there is more to do; answers how many steps did something."""
    for done in range(most):
        async with world.engine.begin() as connection:
            if not await refold(connection, world.now):
                return done
    return most


async def finished(world: World) -> int:
    """How many rebuilds have looked at somebody."""
    ((count,),) = await world.rows("SELECT count(*) FROM scoring.rebuilds WHERE customers > 0")
    return int(count)


async def test_new_thresholds_reach_everybody_and_once(world: World, monkeypatch: pytest.MonkeyPatch):
    """Given customers folded with one program; when workers start with the same, then with another, killed on the
    way, then with it again; then everybody is folded with the new thresholds, once."""
    monkeypatch.setattr(rebuilding, "REBUILD_CUSTOMERS_MAX", 3)
    assert await steps(world, refold_of(world, SETTINGS)) == 0
    await world.feed(*lives(4))
    assert await steps(world, refold_of(world, SETTINGS)) == 0
    await check(world, SETTINGS)

    assert await steps(world, refold_of(world, PATIENT), most=2) == 2
    assert await steps(world, refold_of(world, PATIENT)) > 0

    await check(world, PATIENT)
    assert await steps(world, refold_of(world, PATIENT)) == 0
    assert await finished(world) == 1


async def test_who_was_folded_before_anybody_kept_with_what_is_folded_anew(world: World):
    """Given customers, and no word of the settings that they were folded with; then all are folded anew."""
    await world.feed(*lives(5))

    assert await steps(world, refold_of(world, PATIENT)) > 0

    await check(world, PATIENT)


async def test_a_new_fold_is_a_new_program(world: World, monkeypatch: pytest.MonkeyPatch):
    """Given everybody folded; when the code of the fold has changed; then all are folded anew."""
    await steps(world, refold_of(world, SETTINGS))
    await world.feed(*lives(6))

    monkeypatch.setattr(score_settings, "FOLD_VERSION", score_settings.FOLD_VERSION + 1)

    assert await steps(world, refold_of(world, SETTINGS)) > 0
    assert await finished(world) == 1


async def test_new_thresholds_change_stages_that_were_told(world: World):
    """Given a customer told to have lapsed; when the shop starts with more patience; then it is told once
    that they are active, and later that they lapse by the new threshold."""
    await steps(world, refold_of(world, SETTINGS))
    world.now = moment(20)
    await world.feed(*(order(moment(day), str(day)).record for day in (0, 10, 20)))
    sweep = world.sweep()
    async with world.engine.begin() as connection:
        await sweep(connection, moment(90))
    world.now = moment(100)

    await steps(world, refold_of(world, PATIENT))
    patient = world.sweep(PATIENT)
    for now in (moment(100) + timedelta(seconds=10), moment(101), moment(321), moment(322)):
        async with world.engine.begin() as connection:
            await patient(connection, now)

    told = [one for one in await world.activity() if one.type in ("stage.changed", "facts.corrected")]
    changes = [(one.old, one.new) for record in told for one in record.changes if one.what == "stage"]
    assert changes == [
        ("active", "at_risk"),
        ("at_risk", "lapsed"),
        ("lapsed", "active"),
        ("active", "lapsed"),
    ]
