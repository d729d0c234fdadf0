"""Customers with long histories: what is folded again works beside the event loop, and not all of it at once."""

import asyncio
import threading
from typing import Any

import pytest

from services.scoring.adapters.customers import profiles as profiles_adapter
from services.scoring.adapters.events import timeline as timeline_adapter
from services.scoring.application.customers import portray
from services.scoring.application.due import membership, sweep
from services.scoring.application.events import fold_again
from services.scoring.application.events.fold_again import portions
from services.scoring.application.rebuilding import rebuild
from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.settings import ScoreSettings
from shared.program.conditions.condition import Condition
from tests.integration.scoring.api import Api
from tests.integration.scoring.identity.test_identities import placed
from tests.integration.scoring.rebuilding.test_rebuild import begin, check, rebuild_of
from tests.integration.scoring.segments.test_segments import Shop, shop  # noqa: F401  # a fixture
from tests.integration.scoring.world import World
from tests.support.life import NEW_YORK, SETTINGS, STAGES, moment, order


class Threads:
    """In which threads some functions were called."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.of: dict[str, set[int]] = {}

    def watch(self, module: Any, name: str) -> None:
        """Take note of every call."""
        real, seen = getattr(module, name), self.of.setdefault(name, set())

        def watched(*args: Any, **named: Any) -> Any:
            seen.add(threading.get_ident())
            return real(*args, **named)

        self._patch.setattr(module, name, watched)

    def check(self) -> None:
        """All were called, and never in this thread, which is the event loop's."""
        for name, seen in self.of.items():
            assert seen, f"{name} was not called"
            assert threading.get_ident() not in seen, f"{name} held the event loop up"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    """None watched yet."""
    return Threads(monkeypatch)


async def test_what_looks_at_all_events_leaves_the_event_loop_to_others(api: Api, threads: Threads):
    """Given a customer; when score, stages and a past state are asked for; then what reads all their events works in
    another thread: of 10,000 orders it would hold up everybody else for half a second."""
    await api.order(0, "1", id="c-42")
    for name in ("fold", "tell_story", "course_of"):
        threads.watch(portray, name)
    threads.watch(profiles_adapter, "event_of")

    for path, query in (("score", {}), ("stages", {}), ("score", {"at": moment(5).isoformat()})):
        assert (await api.get(f"/v1/customers/c-42/{path}", **query)).status_code == 200

    threads.check()


async def test_late_events_are_folded_beside_the_event_loop(world: World, threads: Threads):
    """Given an event that comes late; then the timeline is read and folded in another thread: heartbeats go on."""
    await world.feed(placed(5, "2", id="ana"))
    threads.watch(fold_again, "begin_again")
    threads.watch(timeline_adapter, "event_of")
    await world.feed(placed(0, "1", id="ana"))

    threads.check()
    await check(world, SETTINGS)


async def test_a_sweep_and_a_rebuild_work_beside_the_event_loop(shop: Shop, threads: Threads):  # noqa: F811
    """Given customers whom time moves, out of segments too; then the sweep looks at them in another thread, and so does
    a rebuild when it folds."""
    shop.now = moment(0, hours=1)
    await shop.feed(placed(0, "1", id="ana"))
    threads.watch(sweep, "passages")
    threads.watch(membership, "began_at")
    threads.watch(rebuild, "fold")

    sweeping = shop.sweep(SETTINGS)
    async with shop.engine.begin() as connection:
        await sweeping(connection, moment(100))
    rebuilding = await begin(shop)
    async with shop.engine.begin() as connection:
        await rebuild_of(shop, SETTINGS)(connection, rebuilding.id, shop.now)

    threads.check()


async def test_late_events_of_many_are_folded_some_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch):
    """Given customers with more events together than are read at once; when late events of all come in one batch; then
    each read stays within the bound, and each state is what its events amount to."""
    monkeypatch.setattr(fold_again, "HISTORY_EVENTS_MAX", 7)
    names = [f"c{number}" for number in range(6)]
    await world.feed(*(placed(5 + day, f"{name}-{day}", id=name) for name in names for day in range(3)))
    read: list[int] = []
    timeline = world.take_in._timeline
    of = timeline.of

    async def counted(connection: Any, customer_ids: Any) -> Any:
        found = await of(connection, customer_ids)
        read.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(timeline, "of", counted)
    await world.feed(*(placed(0, f"{name}-late", id=name) for name in names))
    monkeypatch.undo()

    assert read == [6, 6, 6]
    await check(world, SETTINGS)


async def test_a_rebuild_takes_fewer_customers_at_once_where_they_have_many_events(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Given customers of whom two have as many events as are read at once; then a step takes these two only, and all
    steps together everybody, once."""
    monkeypatch.setattr(fold_again, "HISTORY_EVENTS_MAX", 6)
    await world.feed(*(placed(day, f"{name}-{day}", id=name) for name in "abcde" for day in range(3)))
    rebuilding = await begin(world)
    done = []
    while rebuilding.finished_at is None:
        async with world.engine.begin() as connection:
            rebuilding = await rebuild_of(world, SETTINGS)(connection, rebuilding.id, world.now)
        done.append(rebuilding.customers)

    assert done == [2, 4, 5, 5]
    assert rebuilding.changed == 0


def test_portions_hold_what_may_be_read_at_once_and_leave_nobody_out(monkeypatch: pytest.MonkeyPatch):
    """Given customers with few events, many, and more than may be read at once; then each is in one portion, in order,
    and who alone has too many stands alone."""
    monkeypatch.setattr(fold_again, "HISTORY_EVENTS_MAX", 10)

    assert list(portions({"a": 4, "b": 6, "c": 1, "d": 25, "e": 10, "f": 0})) == [
        ["a", "b"],
        ["c"],
        ["d"],
        ["e", "f"],
    ]
    assert list(portions({})) == []


async def test_rules_that_only_cel_can_answer_answer_in_another_thread():
    """Given segments compiled in one thread; when they are asked in another; then they answer the same."""
    rule = Condition.compile("[1, 3, 5].exists(n, n == customer.orders)")
    settings = ScoreSettings.by_stages(STAGES, "USD", NEW_YORK, segments={"odd": rule})
    state = fold([order(moment(0), "1")], settings).state

    here = assess(state, moment(1), settings)
    there = await asyncio.to_thread(assess, state, moment(1), settings)

    assert here == there
    assert here.facts.segments == ["odd"]
