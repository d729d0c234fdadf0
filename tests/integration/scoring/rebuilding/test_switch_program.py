"""A program that is activated counts in every process without a restart, and whom it concerns is looked at again."""

import asyncio
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from services.scoring.adapters.programs import PostgresPrograms
from services.scoring.adapters.rebuilding import PostgresRebuilds
from services.scoring.adapters.segments.segments import PostgresRules
from services.scoring.application.rebuilding import rebuild as rebuilding
from services.scoring.application.rebuilding.refold import Refold
from services.scoring.application.rebuilding.switch_program import SwitchProgram
from services.scoring.domain.money import units
from services.scoring.domain.settings import ScoreSettings
from services.scoring.domain.switching import Anew, made_anew
from shared.contracts.codec import encode
from shared.contracts.events import EventRecord
from shared.program.parse import load_program
from shared.program.versions.store import activate, put_program
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.scoring.api import Api
from tests.integration.scoring.rebuilding.test_rebuild import check
from tests.integration.scoring.segments.test_segments import Shop
from tests.integration.scoring.test_worker import publish, until, working
from tests.support.clock import ManualClock
from tests.support.life import moment, order

FILE = """
name: First
currency: USD
time_zone: America/New_York
segments: {vip: "customer.spend_30d >= 500", one-time: "customer.orders == 1"}
stages: {lapsed_after: P60D, churned_after: P180D, at_risk_at: 1.5}
"""
SEGMENTS = FILE.replace(">= 500", ">= 100").replace("one-time:", "once:")
THRESHOLDS = FILE.replace("P60D", "P90D")
NOW = moment(1)


class Process(Shop):
    """A worker that was started with the file."""

    def __init__(self, engine, now: datetime, file: str = FILE):
        program = load_program(file)
        super().__init__(engine, now, ScoreSettings.of(program))
        self.rules = PostgresRules(ScoreSettings.of(program), PostgresPrograms(program))
        self.take_in._rules = self.reassess._rules = self._roll_up._rules = self.rules
        self.switch = SwitchProgram(PostgresPrograms(program))
        rebuilds = PostgresRebuilds()
        self.refold = Refold(
            rebuild=self.rebuild(self.rules), rebuilds=rebuilds, folded=rebuilds, rules=self.rules
        )

    async def look(self, now: datetime) -> ScoreSettings:
        """What the worker does each second; the settings that count then."""
        async with self.engine.begin() as connection:
            await self.switch(connection, now)
        more = True
        while more:
            async with self.engine.begin() as connection:
                more = await self.refold(connection, now)
        return await self.settings()

    async def settings(self) -> ScoreSettings:
        """Those that count."""
        async with self.engine.connect() as connection:
            return await self.rules.current(connection)

    async def switches(self) -> list[tuple[int, str]]:
        """What was noted."""
        rows = await self.rows("SELECT version, anew FROM scoring.program_switches ORDER BY id")
        return [(version, anew) for version, anew in rows]


@pytest.fixture
def process(engine_for: EngineFor, clock: ManualClock) -> Process:
    """A worker before anything was stored."""
    return Process(engine_for("regulars_scoring"), clock())


@pytest.fixture
async def put(engine_for: EngineFor):
    """Puts a text in force, as rewards does."""

    async def put(source: str, now: datetime = NOW, starts_at: datetime | None = None) -> int:
        async with engine_for("regulars_rewards").begin() as connection:
            made = await put_program(
                connection, source, origin="api", actor="k", now=now, starts_at=starts_at
            )
        return made.version

    return put


def bought(number: int, customer: str) -> EventRecord:
    """An order of that day by one of several customers."""
    who = {"identifiers": {"id": f"p-{customer}"}, "id": f"e{number}"}
    return order(moment(number), str(number), **who).record


async def test_a_version_counts_from_its_moment_in_every_process(process: Process, engine_for, put):
    """Given two workers and a version scheduled; when its moment comes; then both go by it, and not before."""
    other = Process(engine_for("regulars_scoring"), NOW)
    await put(FILE)
    at = NOW + timedelta(days=3)
    await put(SEGMENTS, starts_at=at)

    assert list((await process.look(at - timedelta(microseconds=1))).segments.sources) == ["vip", "one-time"]
    assert list((await process.look(at)).segments.sources) == ["vip", "once"]
    assert list((await other.settings()).segments.sources) == ["vip", "once"]
    assert await process.switches() == [(1, ""), (2, "look")]


async def test_two_workers_at_once_take_a_version_up_once(process: Process, engine_for: EngineFor, put):
    """Given a version to take up; when one worker has taken it up and not committed yet, and another comes; then that
    one waits, finds it done, and it is noted once; and an event that came meanwhile waited too, and goes by it."""
    other = Process(engine_for("regulars_scoring"), NOW)
    await put(FILE)
    await process.look(NOW)
    await put(SEGMENTS)
    other.now = NOW
    async with process.engine.begin() as connection:
        await process.switch(connection, NOW)
        waiting = [
            asyncio.create_task(other.look(NOW)),
            asyncio.create_task(other.feed(order(moment(0), "1", "200").record)),
        ]
        await asyncio.sleep(0.3)
        assert not any(one.done() for one in waiting)
    await asyncio.gather(*waiting)

    assert await process.switches() == [(1, ""), (2, "look")]
    assert await process.members() == ["once", "vip"]


async def test_members_of_new_segments_enter_and_of_old_ones_leave(process: Process, put):
    """Given a buyer of 200 dollars; when the program says vip from 100 on; then the pass begins at once, and lets the
    buyer in, and out of the segment that is gone."""
    process.now = NOW
    await put(FILE)
    await process.look(NOW)
    await process.feed(order(moment(0), "1", "200").record)
    await process.pass_all(NOW)
    assert await process.members() == ["one-time"]

    await put(SEGMENTS)
    await process.look(NOW)
    await process.pass_all(NOW)

    assert await process.members() == ["once", "vip"]


async def test_new_thresholds_fold_everybody_anew_and_a_rollback_back_again(
    process: Process, engine_for: EngineFor, put, monkeypatch: pytest.MonkeyPatch
):
    """Given customers; when thresholds change, and the rebuild is half done when they are rolled back; then all are as
    if nothing had been."""
    monkeypatch.setattr(rebuilding, "REBUILD_CUSTOMERS_MAX", 1)
    await put(FILE)
    before = await process.look(NOW)
    await process.feed(*(bought(day, f"p-{day % 3}") for day in range(9)))
    await check(process, before)

    await put(THRESHOLDS)
    after = await process.look(NOW)
    assert after.fold_digest != before.fold_digest
    await check(process, after)

    await put(FILE.replace("P60D", "P70D"))
    async with process.engine.begin() as connection:
        await process.switch(connection, NOW)
    async with process.engine.begin() as connection:
        assert await process.refold(connection, NOW)  # one step of several
    async with engine_for("regulars_rewards").begin() as connection:
        await activate(connection, 1, actor=None, now=NOW)

    assert (await process.look(NOW)).fold_digest == before.fold_digest
    await check(process, before)
    assert await process.switches() == [(1, ""), (2, "fold look"), (3, "fold look"), (1, "fold look")]


async def test_events_are_taken_in_by_the_version_that_counts(process: Process, put):
    """Given a worker that takes events in; when a version comes in force; then the next event goes by it."""
    process.now = NOW
    await put(FILE)
    await process.look(NOW)
    await put(SEGMENTS)
    await process.look(NOW)

    await process.feed(order(moment(0), "1", "200").record)

    assert sorted(await process.told()) == [
        ("order.completed", None, "once"),
        ("order.completed", None, "vip"),
    ]


async def test_metrics_follow_the_currency(process: Process, put):
    """Given orders in dollars and euros, counted; when the program's currency changes; then euros are revenue."""
    process.now = NOW
    await put(FILE)
    await process.look(NOW)
    await process.feed(order(moment(0), "1", "10").record, order(moment(0), "2", "7", "EUR").record)
    await process.roll_up()
    revenue = "SELECT sum(revenue) FROM scoring.metric_sums WHERE segment = ''"
    assert await process.rows(revenue) == [(units("10"),)]

    await put(FILE.replace("USD", "EUR"))
    await process.look(NOW)
    await process.roll_up()

    assert await process.rows(revenue) == [(units("7"),)]


async def test_the_api_says_which_version_counts_and_how_far_the_rebuild_is(
    process: Process, api: Api, put, monkeypatch: pytest.MonkeyPatch
):
    """Given nothing stored, then a version, then one that folds all anew, in its midst and at its end; then the API
    says so each time."""
    monkeypatch.setattr(rebuilding, "REBUILD_CUSTOMERS_MAX", 1)
    seen = [(await api.get("/v1/program/followed")).json()]
    await put(FILE)
    await process.look(NOW)
    await process.feed(*(bought(number, str(number)) for number in range(3)))
    await put(THRESHOLDS)
    async with process.engine.begin() as connection:
        await process.switch(connection, NOW)
    async with process.engine.begin() as connection:
        await process.refold(connection, NOW)
    seen.append((await api.get("/v1/program/followed")).json())
    await process.look(NOW)
    seen.append((await api.get("/v1/program/followed")).json())

    assert [(one["version"], one["anew"]) for one in seen] == [
        (0, []),
        (2, ["fold", "look"]),
        (2, ["fold", "look"]),
    ]
    assert seen[0]["rebuild"] is None
    assert [(one["rebuild"]["customers"], one["rebuild"]["finished_at"] is None) for one in seen[1:]] == [
        (1, True),
        (3, False),
    ]


async def test_a_running_worker_and_api_follow_without_a_restart(
    process: Process, settings: Settings, clock: ManualClock, api: Api, put
):
    """Given a worker and an API that were started with a file; when a version comes in force at its moment; then the
    next event enters its segments, the customer of before too, and the API lists them."""
    file = settings.home / "program.yaml"
    file.write_text(FILE)
    running = settings.model_copy(update={"program": file})
    clock.set(NOW)
    at = NOW + timedelta(days=1)
    async with working(running, clock):
        await publish(process, running, encode(order(moment(0), "1", "200").record))
        await until(lambda: entered(process, {"one-time"}))
        await put(FILE)
        await put(SEGMENTS, starts_at=at)
        clock.set(at)
        await until(lambda: entered(process, {"once", "vip"}))

    listed = (await api.get("/v1/segments")).json()["items"]
    assert {one["id"]: one["customers"] for one in listed} == {"vip": 1, "once": 1}


async def entered(process: Process, segments: set[str]) -> bool:
    """Whether these are the segments that somebody is in."""
    return set(await process.members()) == segments


async def test_a_restart_goes_by_what_was_taken_up_not_by_its_file(process: Process, engine_for, put):
    """Given a version in force; when a worker starts with another file; then it goes by the version."""
    await put(SEGMENTS)
    taken = await process.look(NOW)

    restarted = Process(engine_for("regulars_scoring"), NOW, THRESHOLDS)

    assert (await restarted.settings()).segments.sources == taken.segments.sources
    assert (await restarted.settings()).fold_digest == taken.fold_digest


async def test_a_version_that_this_release_cannot_read_is_left_alone(process: Process, engine_for: EngineFor):
    """Given a version by another release, with a key unknown here; when it comes in force; then what counted goes on,
    and the log says why."""
    async with engine_for(None).begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO platform.programs VALUES (1, 'name: X', '[]', 'api', NULL, now())"
        )
        await connection.exec_driver_sql(
            "INSERT INTO platform.program_activations (version, starts_at, decided_at) VALUES (1, '2020-01-01', now())"
        )

    with capture_logs() as logs:
        settings = await process.look(NOW)

    assert list(settings.segments.sources) == ["vip", "one-time"]
    assert [one["version"] for one in logs if one["event"] == "program_is_not_valid_any_more"] == [1]


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        (("name: First", "name: Second"), []),
        (("segments:", "offers: {a: {gift: b, valid_for: P1D}}\nsegments:"), []),
        ((">= 500", ">= 501"), [Anew.LOOK]),
        (("segments:", "score: {weights: {tenure: 9}}\nsegments:"), [Anew.LOOK]),
        (
            (
                "segments:",
                "tiers: {basis: {spend_over: P1Y}, levels: [{id: a, name: A}, {id: b, name: B, at: 9}]}\nsegments:",
            ),
            [Anew.LOOK],
        ),
        (("at_risk_at: 1.5", "at_risk_at: 2"), [Anew.FOLD, Anew.LOOK]),
        (("P180D", "P181D"), [Anew.FOLD, Anew.LOOK, Anew.METRICS]),
        (("America/New_York", "Europe/Berlin"), [Anew.FOLD, Anew.LOOK, Anew.METRICS]),
    ],
)
def test_what_must_be_made_anew(change: tuple[str, str], anew: list[Anew]) -> None:
    """Given a program and a change of it; then just that is made anew which it concerns."""
    assert made_anew(load_program(FILE), load_program(FILE.replace(*change))) == anew
