"""A version in force that this release cannot read: nothing is decided, by no other version either, and all say why."""

import asyncio
import traceback
from datetime import timedelta

import httpx
import pytest

from services.rewards.wiring.start import store_program
from services.rewards.wiring.worker import create_worker
from shared.program.versions.reading import UnreadableProgramError
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.integration.rewards.conftest import Rewards
from tests.integration.rewards.programs.test_program_life import DAY, DOUBLE, decided_by, look_again, put
from tests.integration.rewards.worker.test_processes import publish
from tests.support.clock import ManualClock
from tests.unit.rewards.building import CUSTOMER, PROGRAM, order

SAYS = "This release cannot read version 2 of the program: line 1, column 1"
KINDS = "SELECT kind, subject, program_version, times, details->>'version' FROM platform.alerts"


async def put_another_releases(
    engine_for: EngineFor, clock: ManualClock, later: timedelta = timedelta(0), retired: str = "[]"
) -> None:
    """Version 2, which an older release would take, is in force from then on; `retired` are the ids that it has given
    up, with those before."""
    now = clock().isoformat()
    async with engine_for(None).begin() as connection:
        await connection.exec_driver_sql(
            f"INSERT INTO platform.programs VALUES (2, 'name: X', '{retired}', 'api', NULL, now())"
        )
        await connection.exec_driver_sql(
            "INSERT INTO platform.program_activations (version, starts_at, decided_at, actor)"
            f" VALUES (2, '{(clock() + later).isoformat()}', '{now}', 'ana')"
        )


async def test_events_wait_for_a_version_that_can_be_read_and_none_is_set_aside(
    rewards: Rewards, api: httpx.AsyncClient, settings: Settings, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given a version by another release in force; when orders come; then they wait, set aside by nobody, and the
    worker is not ready, and says which version it cannot read and where; when one that can be read is put, they become
    points by that one."""
    await put_another_releases(engine_for, clock)
    worker, stop = create_worker(settings, clock), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        await publish(settings, rewards, order("0", "10"))
        async with asyncio.timeout(60):
            while True:
                if "ProgramError" in str(await worker.checks()["stream"]()):
                    break
                await asyncio.sleep(0.02)
        reason = str(await worker.checks()["program"]())
        assert SAYS in reason
        assert "Put a version in force" in reason
        assert await rewards.rows("SELECT * FROM rewards.dead_letters") == []
        assert await decided_by(rewards) == []

        assert (await put(api, DOUBLE)).status_code == 200
        async with asyncio.timeout(60):
            while True:
                if await decided_by(rewards) == [(20, 3)]:
                    break
                await asyncio.sleep(0.05)
        assert await worker.checks()["program"]() is None
    finally:
        stop.set()
        await running


async def test_an_alert_is_raised_once_and_told_though_no_program_can_be_read(
    rewards: Rewards, api: httpx.AsyncClient, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given points that expire, and such a version in force; when time passes; then one alert names the version, and is
    told; what was due is done when the program can be read."""
    await rewards.happen(order("1", "10"))
    clock.advance(timedelta(days=400))
    await put_another_releases(engine_for, clock)
    look_again(rewards)
    jobs = rewards.jobs.all()
    for _ in range(2):
        for name in ("watch_program", "tell_of_alerts"):
            async with rewards.engine.begin() as connection:
                await jobs[name](connection, clock())
    assert await rewards.rows(KINDS) == [("program-unreadable", "program:2", 2, 1, "2")]
    (told,) = [one for one in await rewards.outcomes() if one.type == "alert.raised"]
    assert told.data["kind"] == "program-unreadable"
    assert SAYS in told.data["details"]["reason"]
    with pytest.raises(UnreadableProgramError):
        await rewards.pass_time()

    await put(api, DOUBLE)
    look_again(rewards)
    await rewards.pass_time()
    assert await rewards.rows("SELECT kind, program_version FROM rewards.entries ORDER BY number") == [
        ("earn", 1),
        ("expire", 3),
    ]


async def test_the_api_says_so_where_it_needs_the_program_and_changes_nothing(
    rewards: Rewards, api: httpx.AsyncClient, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given points, and such a version in force; when the API would need it; then 503 names the version and the place,
    and nothing changes; what needs no program is answered, and the API stays ready, with a warning."""
    await rewards.happen(order("1", "500"))
    await put_another_releases(engine_for, clock)
    before = await rewards.dump()
    asked = {
        "/v1/redemptions": {"customer": CUSTOMER, "points": 100},
        "/v1/adjustments": {"customer": CUSTOMER, "points": 5, "reason": "r"},
        "/v1/offers/SUMMER/validate": {"customer": CUSTOMER},
        "/v1/program/preview": {"order": {"total": 5}},
        "/v1/program/simulate": {"source": DOUBLE},
    }
    for path, body in asked.items():
        answer = await api.post(path, json=body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (503, "program_unreadable"), path
        assert SAYS in answer.json()["detail"]
        assert (answer.json()["program_version"], answer.headers["retry-after"]) == (2, "30")
    assert (await api.get("/v1/summary")).status_code == 503
    assert await rewards.dump() == before

    assert (await api.get(f"/v1/customers/{CUSTOMER}/ledger")).status_code == 200
    assert (await api.get("/readyz")).status_code == 200
    health = (await api.get("/health")).json()
    assert health["status"] == "warn"
    assert SAYS in str(health["checks"]["program"])


async def test_what_waits_for_long_takes_no_more_memory_with_each_try(
    rewards: Rewards, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given such a version in force; when it is asked for again and again; then the error of the last time leads
    through no more places than that of the second, and holds on to nothing of the others."""
    await put_another_releases(engine_for, clock)
    look_again(rewards)
    lengths = []
    for _ in range(5):
        async with rewards.engine.connect() as connection:
            with pytest.raises(UnreadableProgramError, match="line 1") as raised:
                await rewards.handler.programs.current(connection, clock())
        lengths.append(len(list(traceback.walk_tb(raised.value.__traceback__))))
    assert len(set(lengths[1:])) == 1, lengths


@pytest.mark.parametrize("later", [timedelta(0), DAY], ids=["in force", "scheduled"])
async def test_a_worker_of_such_a_release_takes_nothing_and_leaves_an_alert(
    rewards: Rewards, settings: Settings, engine_for: EngineFor, clock: ManualClock, later: timedelta
) -> None:
    """Given such a version in force, or scheduled; when a worker starts; then it ends before it takes anything, so that
    those of the older release go on, and an alert says why."""
    await put_another_releases(engine_for, clock, later)
    with pytest.raises(UnreadableProgramError, match="line 1"):
        await store_program(settings, clock)
    assert await rewards.rows(KINDS) == [("program-unreadable", "program:2", 2, 1, "2")]


async def test_what_an_unreadable_version_decided_stands_and_is_told_without_its_words(
    rewards: Rewards, api: httpx.AsyncClient, second_api: httpx.AsyncClient, engine_for: EngineFor
) -> None:
    """Given points and a code by a version that a later release cannot read any more, and another in force; then orders
    are decided, points are explained without the rule's words, and the code, which keeps its terms, is refused."""
    await rewards.happen(order("5", "10", facts={"orders": 5}))
    ((code,),) = await rewards.rows("SELECT code FROM rewards.offers")
    ((entry,),) = await rewards.rows("SELECT customer_id || '-' || number FROM rewards.entries")
    await put(api, DOUBLE)
    await rewards.plant("UPDATE platform.programs SET source = 'name: X' WHERE version = 1")

    explained = await second_api.get(f"/v1/customers/{CUSTOMER}/explain", params={"ledger_entry": entry})
    assert explained.status_code == 200, explained.text
    assert (explained.json()["program_version"], explained.json()["rule_description"]) == (1, None)
    used = await second_api.post(f"/v1/offers/{code}/validate", json={"customer": CUSTOMER})
    assert (used.status_code, used.json()["program_version"]) == (503, 1)

    look_again(rewards)
    await rewards.happen(order("6", "10"))
    assert await decided_by(rewards) == [(10, 1), (20, 2)]


NO_EARNING = PROGRAM.replace("order.completed", "order.complete")
NO_TIERS = PROGRAM.replace("spend_over", "spent_over")
NEITHER = PROGRAM.replace("currency: USD", "currency: ECU")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (PROGRAM.replace("spend_30d", "spent_30d"), {"tier", "points"}),
        (NO_EARNING, {"tier"}),
        (NO_TIERS, {"points"}),
        (NEITHER, set()),
        ("name: X", set()),
        (f"{PROGRAM}tier: {{}}", set()),
    ],
    ids=["segments", "points", "tiers", "currency", "nearly all", "what this release does not know"],
)
async def test_the_past_under_it_is_told_by_what_of_it_can_be_read(  # noqa: PLR0917
    rewards: Rewards,
    api: httpx.AsyncClient,
    second_api: httpx.AsyncClient,
    clock: ManualClock,
    source: str,
    told: set[str],
) -> None:
    """Given a customer's points and tier under a version that a later release cannot read any more, and another in
    force; when the moment is asked for; then it is told what was told, if the section that it takes can be read; else
    that is refused, with the version and what to do, and not as if it would pass."""
    await rewards.happen(order("1", "250", at=clock()))
    at, before = clock().isoformat(), {}
    for what in ("tier", "points"):
        before[what] = (await api.get(f"/v1/customers/{CUSTOMER}/{what}")).json()
    clock.advance(DAY)
    await put(api, DOUBLE)
    await rewards.plant(f"UPDATE platform.programs SET source = $${source}$$ WHERE version = 1")
    clock.advance(DAY)
    look_again(rewards)
    await rewards.happen(order("2", "10", at=clock()))

    for what, answered in before.items():
        answer = await second_api.get(f"/v1/customers/{CUSTOMER}/{what}", params={"at": at})
        if what in told:
            assert (answer.status_code, answer.json()) == (200, answered), what
        else:
            (error,) = answer.json()["errors"]
            assert (answer.status_code, error["code"]) == (422, "not_as_of"), what
            assert "cannot read version 1 of the program: line" in error["detail"]
            assert "GET /v1/program/versions" in error["detail"]


async def test_the_past_is_told_by_its_program_however_many_came_since(
    rewards: Rewards, api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given a Gold, and a version without tiers, activated in turn with the first a hundred times and more; when the
    moment before all that is asked for; then it is told what was told."""
    await rewards.happen(order("1", "250", at=clock()))
    at, before = clock().isoformat(), (await api.get(f"/v1/customers/{CUSTOMER}/tier")).json()
    clock.advance(DAY)
    tierless = PROGRAM[: PROGRAM.index("tiers:")] + PROGRAM[PROGRAM.index("offers:") :]
    await put(api, tierless + "removed_ids: [member, gold, platinum]\n")
    await rewards.plant(
        "INSERT INTO platform.program_activations (version, starts_at, decided_at)"
        " SELECT 2, at, at FROM (SELECT starts_at + n * interval '1 minute' AS at"
        " FROM platform.program_activations, generate_series(1, 120) AS n WHERE version = 2) AS w"
    )
    clock.advance(DAY)
    answer = await api.get(f"/v1/customers/{CUSTOMER}/tier", params={"at": at})
    assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize("later", [timedelta(0), 30 * DAY], ids=["in force", "scheduled"])
async def test_ids_that_were_given_up_stay_so_beyond_a_version_that_cannot_be_read(
    rewards: Rewards, api: httpx.AsyncClient, engine_for: EngineFor, clock: ManualClock, later: timedelta
) -> None:
    """Given such a version, in force or to come, which has given an id up; when one that can be read follows, and after
    it another one that would use the id; then the id is refused: the ledger may name it."""
    await put_another_releases(engine_for, clock, later, retired='["rule:spring"]')
    assert (await put(api, DOUBLE)).status_code == 200
    clock.advance(DAY)

    refused = await put(api, PROGRAM.replace("{id: review,", "{id: spring,"))

    assert refused.status_code == 422
    assert "The id spring was used and removed before" in refused.text
