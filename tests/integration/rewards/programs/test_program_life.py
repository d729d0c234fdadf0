"""The life of a program: versions that never change, in force from a moment on, rolled back, told apart in words."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.rewards.adapters.programs import PostgresPrograms
from shared.program.versions.store import NOTICE, PROGRAM_LOCK, SCHEDULED_MAX
from tests.conftest import EngineFor
from tests.integration.rewards.conftest import PROGRAM, Rewards
from tests.support.clock import ManualClock
from tests.unit.rewards.building import order

DOUBLE = PROGRAM.replace("points_per_unit: 1", "points_per_unit: 2")
TRIPLE = PROGRAM.replace("points_per_unit: 1", "points_per_unit: 3")
DAY = timedelta(days=1)


async def put(api: httpx.AsyncClient, source: str, **query: Any) -> httpx.Response:
    """Put a text."""
    return await api.put("/v1/program", json={"source": source}, params=query)


async def activate(api: httpx.AsyncClient, key: str, **body: Any) -> httpx.Response:
    """Activate a version."""
    return await api.post("/v1/program/activations", json=body, headers={"Idempotency-Key": key})


async def decided_by(rewards: Rewards) -> list[tuple[int, int]]:
    """Points and program version of each posting."""
    return await rewards.rows("SELECT points, program_version FROM rewards.entries ORDER BY number")


def look_again(rewards: Rewards) -> None:
    """A second has passed for the worker."""
    programs = rewards.handler.programs
    assert isinstance(programs, PostgresPrograms)
    programs.look_again()


async def test_a_version_decides_from_its_moment_on_without_a_restart(
    rewards: Rewards, api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given a version scheduled for tomorrow; when orders come up to the moment and from it on; then each posting names
    the version that was in force, also in a worker that looked long before."""
    at = clock() + DAY
    answer = await put(api, DOUBLE, at=at.isoformat())
    look_again(rewards)
    await rewards.happen(order("1", "10"))

    clock.set(at - timedelta(microseconds=1))
    await rewards.happen(order("2", "10"))
    clock.set(at)
    await rewards.happen(order("3", "10"))

    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["starts_at"]) == (
        2,
        at.isoformat().replace("+00:00", "Z"),
    )
    assert await decided_by(rewards) == [(10, 1), (10, 1), (20, 2)]
    assert (await api.get("/v1/program")).json()["version"] == 2


async def test_until_its_moment_a_scheduled_version_is_only_announced(
    api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given two scheduled versions; then the program in force is the old one, and both are listed in order."""
    later = await put(api, DOUBLE, at=(clock() + 2 * DAY).isoformat())
    sooner = await put(api, TRIPLE, at=(clock() + DAY).isoformat())

    now = (await api.get("/v1/program")).json()

    assert (later.status_code, sooner.status_code, now["version"]) == (200, 200, 1)
    assert [one["version"] for one in now["scheduled"]] == [3, 2]


async def test_what_is_put_is_told_in_words(api: httpx.AsyncClient) -> None:
    """Given a change; when it is checked, then put; then both tell the same difference, and only one has stored it."""
    source = PROGRAM.replace("at: 200.01", "at: 250")
    assert source != PROGRAM

    checked = await api.post("/v1/program/check", json={"source": source})
    assert (await api.get("/v1/program")).json()["version"] == 1
    stored = await put(api, source)
    compared = await api.get("/v1/program/difference", params={"from": 1, "to": 2})
    back = await api.get("/v1/program/difference", params={"to": 1})
    again = await put(api, source)

    said = ["Gold now begins at 250 USD instead of 200.01 USD."]
    for answer in (checked, stored, compared):
        assert answer.status_code == 200
        assert [one["sentence"] for one in answer.json()["difference"]] == said
    assert (compared.json()["from"], compared.json()["to"]) == (1, 2)
    assert back.json()["difference"][0]["sentence"] == "Gold now begins at 200.01 USD instead of 250 USD."
    assert (again.json()["version"], again.json()["difference"]) == (2, [])


async def test_a_check_names_every_fault(api: httpx.AsyncClient) -> None:
    """Given two faults; when the text is checked; then both are named by line and column."""
    source = PROGRAM.replace("order.completed", "order.complete").replace("P12M", "P12X")
    answer = await api.post("/v1/program/check", content=source, headers={"Content-Type": "application/yaml"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_program")
    assert len({(one["line"], one["column"]) for one in answer.json()["errors"]}) >= 2


async def test_a_rollback_puts_an_earlier_version_in_force(rewards: Rewards, api: httpx.AsyncClient) -> None:
    """Given a second version; when the first is activated, and the call repeated; then it decides again, once."""
    await put(api, DOUBLE)
    look_again(rewards)
    await rewards.happen(order("1", "10"))

    first = await activate(api, "k", version=1)
    again = await activate(api, "k", version=1)
    look_again(rewards)
    await rewards.happen(order("2", "10"))

    assert (first.status_code, first.content) == (201, again.content)
    assert await decided_by(rewards) == [(20, 2), (10, 1)]
    versions = (await api.get("/v1/program/versions")).json()["items"]
    assert [(one["version"], one["in_force"], len(one["activations"])) for one in versions] == [
        (2, False, 1),
        (1, True, 2),
    ]


async def test_after_a_rollback_the_budget_is_that_of_the_earlier_version(
    rewards: Rewards, api: httpx.AsyncClient
) -> None:
    """Given a rule whose budget was raised, and rolled back; then it gives no more than the earlier version says."""
    line = "points_per_unit: 1"
    await put(api, PROGRAM.replace(line, f"{line}, cap: {{program: 30}}"))
    await put(api, PROGRAM.replace(line, f"{line}, cap: {{program: 100}}"))
    look_again(rewards)
    for number in range(8):  # each may find its slot with less than it wants
        await rewards.happen(order(f"a{number}", "5"))
    given = sum(points for points, _ in await decided_by(rewards))
    assert 30 < given <= 40

    await activate(api, "k", version=2)
    look_again(rewards)
    await rewards.happen(order("b", "50"))
    assert sum(points for points, _ in await decided_by(rewards)) == given

    await activate(api, "l", version=3)
    look_again(rewards)
    await rewards.happen(order("c", "50"))
    assert given < sum(points for points, _ in await decided_by(rewards)) <= 100


async def test_after_a_rollback_ids_of_both_versions_may_be_used(api: httpx.AsyncClient) -> None:
    """Given a version that dropped a rule and brought another; when it is rolled back, and mended; then the text may
    name the old rule as well as the new one; and what is gone for good stays refused."""
    new_rule = "{id: workout, on: x.workout, points: 5}"
    rule = next(line.strip() for line in PROGRAM.splitlines() if "id: review" in line)
    dropped = PROGRAM.replace(rule, f"- {new_rule}")
    assert (await put(api, dropped)).status_code == 200
    assert (await put(api, PROGRAM.replace("name: ", "name: A "))).status_code == 422
    await activate(api, "back", version=1)

    both = PROGRAM.replace(rule, f"{rule}\n    - {new_rule}")
    assert (await put(api, both)).status_code == 200
    assert (await put(api, dropped + "# again")).status_code == 200
    refused = await put(api, both + "# again")

    assert refused.status_code == 422
    assert "removed before" in refused.json()["errors"][0]["detail"]


async def test_a_scheduled_activation_can_be_cancelled_until_it_begins(
    rewards: Rewards, api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given two scheduled; when one is cancelled in time, twice, and the other when it is about to begin; then the
    first never comes in force, and the second does."""
    for source, days in ((DOUBLE, 1), (TRIPLE, 2)):
        await put(api, source, at=(clock() + days * DAY).isoformat())
    second, third = (await api.get("/v1/program")).json()["scheduled"]

    gone = [await api.delete(f"/v1/program/activations/{second['id']}") for _ in range(2)]
    clock.set(clock() + 2 * DAY - NOTICE / 2)
    late = await api.delete(f"/v1/program/activations/{third['id']}")
    unknown = await api.delete("/v1/program/activations/99")

    assert [one.status_code for one in gone] == [204, 204]
    assert (late.status_code, late.json()["code"]) == (409, "activation_has_begun")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_activation")
    assert (await api.get("/v1/program")).json()["version"] == 1
    clock.advance(NOTICE)
    assert (await api.get("/v1/program")).json()["version"] == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": 9}, 404, "unknown_version"),
        ({"version": 1, "at": "2026-05-01T00:00:00Z"}, 422, "activation_too_soon"),
        ({"version": 0}, 422, "invalid_request"),
        ({"version": 10**10}, 422, "invalid_request"),
        ({"version": 1, "at": "soon"}, 422, "invalid_request"),
        ({"version": 1, "at": "2026-07-01T00:00:00"}, 422, "invalid_request"),
    ],
)
async def test_an_impossible_activation_changes_nothing(
    rewards: Rewards, api: httpx.AsyncClient, body: dict[str, Any], status: int, code: str
) -> None:
    """Given what cannot be activated; then the answer says why, and nothing is decided."""
    answer = await activate(api, "k", **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await rewards.rows("SELECT count(*) FROM platform.program_activations") == [(1,)]


async def test_only_so_many_are_scheduled(api: httpx.AsyncClient, clock: ManualClock) -> None:
    """Given as many as may be; when one more is scheduled; then that is refused."""
    await put(api, DOUBLE)
    for number in range(SCHEDULED_MAX):
        at = (clock() + (number + 1) * DAY).isoformat()
        assert (await activate(api, f"k{number}", version=1 + number % 2, at=at)).status_code == 201
    answer = await activate(api, "more", version=1, at=(clock() + DAY / 2).isoformat())
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_activations")


async def test_versions_come_in_pages_and_one_with_its_text(api: httpx.AsyncClient) -> None:
    """Given three versions; when they are listed one by one; then each comes once; each is there with its text."""
    await put(api, DOUBLE)
    await put(api, TRIPLE)
    seen, cursor = [], None
    while True:
        page = (
            await api.get(
                "/v1/program/versions", params={"limit": 1, **({"cursor": cursor} if cursor else {})}
            )
        ).json()
        seen += [one["version"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [3, 2, 1]
    assert (await api.get("/v1/program/versions/2")).json()["source"] == DOUBLE
    for path in ("/v1/program/versions/4", "/v1/program/difference?to=4"):
        assert (await api.get(path)).json()["code"] == "unknown_version"


async def test_another_process_follows_within_a_second(
    rewards: Rewards, api: httpx.AsyncClient, second_api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given two processes; when one puts a version; then the other shows it at once when asked for the program."""
    assert (await second_api.get("/v1/program")).json()["version"] == 1
    await put(api, DOUBLE)
    assert (await second_api.get("/v1/program")).json()["version"] == 2


async def test_two_who_decide_at_once_make_one_order_of_versions(
    rewards: Rewards, api: httpx.AsyncClient, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given somebody who is deciding; when the API puts a version meanwhile; then it waits, and comes after that."""
    async with engine_for("regulars_rewards").begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PROGRAM_LOCK})
        waiting = asyncio.create_task(put(api, DOUBLE))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        programs = rewards.handler.programs
        assert isinstance(programs, PostgresPrograms)
        await programs.put(connection, TRIPLE, actor="x", now=clock())
    assert (await waiting).json()["version"] == 3


async def test_what_a_clock_that_was_ahead_put_in_force_is_so_once_it_is_put_right(
    rewards: Rewards, api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given a version that was put in force, and another scheduled, by a clock two days ahead; when it is put right,
    and the same is put once more; then it is in force at once; another after it too, and a rollback; what was
    scheduled stays so."""
    now = clock()
    clock.set(now + 2 * DAY)
    ahead = (await put(api, DOUBLE)).json()
    await put(api, TRIPLE, at=(now + 4 * DAY).isoformat())
    clock.set(now)
    seen = (await api.get("/v1/program")).json()
    again = (await put(api, DOUBLE)).json()
    assert (seen["version"], again["version"], ahead["version"]) == (1, 2, 2)
    for wanted, answer in (
        (2, again),
        (4, (await put(api, DOUBLE.replace("points: 100", "points: 101"))).json()),
        (1, (await activate(api, "back", version=1)).json()),
    ):
        shown = (await api.get("/v1/program")).json()
        assert answer["version"] == wanted
        if wanted == 1:
            assert (shown["version"], [one["version"] for one in shown["scheduled"]]) == (1, [3])
    look_again(rewards)
    await rewards.happen(order("1", "10", at=clock()))
    assert await decided_by(rewards) == [(10, 1)]


async def test_a_restart_puts_right_what_its_clock_put_in_force(
    rewards: Rewards, api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Given another program file, taken up by a worker whose clock was two days ahead; when it starts anew by the right
    time; then its file counts; a clock that differs by seconds changes nothing of what was decided."""
    programs, now = rewards.handler.programs, clock()
    assert isinstance(programs, PostgresPrograms)
    for ahead in (2 * DAY, timedelta()):
        async with rewards.engine.begin() as connection:
            await programs.add_file(connection, DOUBLE, now + ahead)
    assert (await api.get("/v1/program")).json()["version"] == 2

    clock.set(now - timedelta(seconds=30))
    assert (await put(api, TRIPLE)).json()["version"] == 3
    starts = await rewards.rows(
        "SELECT starts_at FROM platform.program_activations WHERE cancelled_at IS NULL ORDER BY id"
    )
    assert [row[0] for row in starts] == [now, now, now]
