"""Health: alive without asking anybody, ready when the checks say so, each component shown."""

import asyncio

from shared.http.health import Degraded, Health
from tests.support.clock import ManualClock
from tests.support.http import client_of, service


async def well() -> str | None:
    """A check that is content."""
    return None


async def broken() -> str | None:
    """A check that is not."""
    return "no answer from the server"


async def odd() -> str | None:
    """A check that can do without."""
    return Degraded("Kafka is away; events go to the spool")


async def raising() -> str | None:
    """A check that fails itself."""
    raise ConnectionRefusedError("postgresql://user:secret@host")


async def test_alive_asks_no_dependency() -> None:
    """Given a broken dependency; when asked for life; then all is well."""
    async with client_of(service({"database": broken})) as client:
        answer = await client.get("/livez")

    assert (answer.status_code, answer.json()) == (200, {"status": "pass"})


async def test_ready_when_all_checks_pass() -> None:
    """Given checks that are content; when asked; then 200."""
    async with client_of(service({"database": well})) as client:
        answer = await client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "pass")


async def test_not_ready_says_why() -> None:
    """Given a broken dependency; when asked; then 503 with the reason and when to ask again."""
    async with client_of(service({"database": broken, "bus": well})) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["reasons"] == {"database": "no answer from the server"}
    assert "retry-after" in answer.headers


async def test_ready_though_degraded() -> None:
    """Given a dependency that one can do without; when it is away; then ready, and shown as a warning."""
    async with client_of(service({"bus": odd})) as client:
        ready = await client.get("/readyz")
        shown = await client.get("/health")

    assert ready.status_code == 200
    assert shown.status_code == 200
    assert shown.json()["status"] == "warn"
    assert shown.json()["checks"]["bus"][0]["output"].startswith("Kafka is away")


async def test_health_shows_each_component_in_its_media_type() -> None:
    """Given one well and one broken; when asked for health; then both are shown, and the whole fails."""
    async with client_of(service({"database": broken, "bus": well})) as client:
        answer = await client.get("/health")

    document = answer.json()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/health+json"
    assert document["status"] == "fail"
    assert document["version"] == "1.2.3"
    assert document["checks"]["database"][0]["status"] == "fail"
    assert document["checks"]["bus"][0]["status"] == "pass"


async def test_a_check_that_raises_fails_without_telling_secrets() -> None:
    """Given a check that raises with an address in its message; when shown; then only the kind of error is."""
    async with client_of(service({"database": raising})) as client:
        answer = await client.get("/health")

    assert "secret" not in answer.text
    assert answer.json()["checks"]["database"][0]["output"] == "ConnectionRefusedError"


async def test_probes_share_one_round_of_checks(clock: ManualClock) -> None:
    """Given many probes at once and soon after; when counted; then the dependency was asked once."""
    asked = 0

    async def counted() -> str | None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return None

    health = Health("trial", "1", {"database": counted}, clock=clock)
    await asyncio.gather(*(health.report() for _ in range(20)))
    await health.report()

    assert asked == 1


async def test_a_check_that_hangs_is_bounded(clock: ManualClock) -> None:
    """Given a check that never answers; when reported; then it fails after two seconds."""

    async def hanging() -> str | None:
        await asyncio.Event().wait()
        return None

    async with asyncio.timeout(4):
        report = await Health("trial", "1", {"database": hanging}, clock=clock).report()

    assert report.reasons == {"database": "no answer within 2 s"}


async def test_not_ready_while_stopping() -> None:
    """Given a process that is being stopped; when asked; then it takes nothing new."""
    app = service({"database": well})
    app.state.health.stopping = True
    async with client_of(app) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
