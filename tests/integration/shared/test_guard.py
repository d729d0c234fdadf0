"""The guard: who gets in, who does not, and for how long it believes what it knows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.auth.guard import GRACE, REFUSED, TRUSTED, Guard, Principal, require
from shared.auth.keys import CreatedKey, create_key, list_keys, revoke_key
from shared.auth.scopes import Scope
from shared.http.problems import Problem
from shared.postgres.engine import create_engine
from tests.conftest import EngineFor
from tests.support.clock import ManualClock
from tests.support.http import client_of, service


@pytest.fixture
async def owner(engine_for: EngineFor) -> AsyncEngine:
    """An engine that may make keys."""
    return engine_for("regulars_platform")


@pytest.fixture
async def key(owner: AsyncEngine, clock: ManualClock) -> CreatedKey:
    """A key that may read rewards."""
    async with owner.begin() as connection:
        return await create_key(connection, name="till", scopes=[Scope.REWARDS_READ], now=clock())


@pytest.fixture
async def guard(engine_for: EngineFor, clock: ManualClock) -> Guard:
    """A guard as the rewards service has it."""
    return Guard(engine_for("regulars_rewards"), clock)


def bearer(key: CreatedKey) -> str:
    """The header of a key."""
    return f"Bearer {key.token}"


async def refusal(guard: Guard, header: str | None, scope: Scope = Scope.REWARDS_READ) -> Problem:
    """The problem with which a request is refused."""
    with pytest.raises(Problem) as caught:
        await guard.check(header, scope)
    return caught.value


async def test_a_good_key_gets_in(guard: Guard, key: CreatedKey) -> None:
    """Given a key with the scope; when checked; then its principal is known."""
    principal = await guard.check(bearer(key), Scope.REWARDS_READ)

    assert principal == Principal(key.id, frozenset({Scope.REWARDS_READ}))
    assert not principal.may(Scope.PERSONAL_READ)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer reg_wrong",
        "Bearer " + "x" * 5000,
        "Bearer \xff",
    ],
)
async def test_without_a_good_key_it_is_401_with_a_challenge(guard: Guard, header: str | None) -> None:
    """Given no key, another scheme or an unknown token; when checked; then 401 with WWW-Authenticate."""
    problem = await refusal(guard, header)

    assert (problem.status, problem.code) == (401, "unauthenticated")
    assert problem.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_key_without_the_scope_is_403_naming_it(guard: Guard, key: CreatedKey) -> None:
    """Given a key that may only read; when it writes; then 403 names the scope."""
    problem = await refusal(guard, bearer(key), Scope.REWARDS_WRITE)

    assert (problem.status, problem.code) == (403, "insufficient_scope")
    assert 'scope="rewards:write"' in problem.headers["WWW-Authenticate"]


async def test_a_revocation_is_in_force_after_the_trusted_time(
    guard: Guard, key: CreatedKey, owner: AsyncEngine, clock: ManualClock
) -> None:
    """Given a key in use; when revoked; then it is refused once what is remembered is too old."""
    await guard.check(bearer(key), Scope.REWARDS_READ)
    async with owner.begin() as connection:
        await revoke_key(connection, key.id, clock())

    clock.advance(TRUSTED)

    assert (await refusal(guard, bearer(key))).status == 401


async def test_a_revoked_key_is_refused_at_once_where_it_was_not_in_use(
    guard: Guard, key: CreatedKey, owner: AsyncEngine, clock: ManualClock
) -> None:
    """Given a revoked key; when a guard sees it for the first time; then 401."""
    async with owner.begin() as connection:
        await revoke_key(connection, key.id, clock())

    assert (await refusal(guard, bearer(key))).status == 401


async def test_a_key_that_expires_while_trusted_is_refused(
    guard: Guard, owner: AsyncEngine, clock: ManualClock
) -> None:
    """Given a key with ten seconds to live, in use; when they are over; then 401 although it is remembered."""
    async with owner.begin() as connection:
        key = await create_key(
            connection,
            name="short",
            scopes=[Scope.REWARDS_READ],
            now=clock(),
            expires_at=clock() + timedelta(seconds=10),
        )
    await guard.check(bearer(key), Scope.REWARDS_READ)

    clock.advance(timedelta(seconds=10))

    assert (await refusal(guard, bearer(key))).status == 401


async def test_many_requests_ask_the_database_once(engine_for: EngineFor, key: CreatedKey) -> None:
    """Given fifty requests at once and fifty after; when counted; then there was one query."""
    engine = engine_for("regulars_rewards")
    visits: list[object] = []
    event.listen(engine.sync_engine.pool, "checkout", lambda *a: visits.append(a[0]))
    guard = Guard(engine, ManualClock())

    await asyncio.gather(*(guard.check(bearer(key), Scope.REWARDS_READ) for _ in range(50)))
    for _ in range(50):
        await guard.check(bearer(key), Scope.REWARDS_READ)

    assert len(visits) == 1


async def test_an_unknown_token_is_asked_about_again_after_a_while(
    guard: Guard, owner: AsyncEngine, clock: ManualClock
) -> None:
    """Given a token refused and then made a key; when the refusal is old; then it gets in."""
    async with owner.begin() as connection:
        key = await create_key(connection, name="new", scopes=[Scope.REWARDS_READ], now=clock())
        await connection.rollback()
    assert (await refusal(guard, bearer(key))).status == 401
    async with owner.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO platform.api_keys (hash, id, name, scopes, created_at)"
                " VALUES (sha256(convert_to(:token, 'UTF8')), 'key_1', 'new', '{rewards:read}', now())"
            ),
            {"token": key.token},
        )

    assert (await refusal(guard, bearer(key))).status == 401
    clock.advance(REFUSED)

    assert (await guard.check(bearer(key), Scope.REWARDS_READ)).key_id == "key_1"


async def test_the_last_use_is_noted(
    guard: Guard, key: CreatedKey, owner: AsyncEngine, clock: ManualClock
) -> None:
    """Given a key; when it is used; then operators see when."""
    await guard.check(bearer(key), Scope.REWARDS_READ)

    async with owner.connect() as connection:
        [shown] = await list_keys(connection)
    assert shown.last_used_at == clock()


async def test_known_keys_are_believed_while_the_database_is_away(
    database_url: str, key: CreatedKey, owner: AsyncEngine, clock: ManualClock
) -> None:
    """Given a key in use; when the database goes away; then it gets in for the grace time, and then 503s."""
    engine = create_engine(database_url, role="regulars_rewards", pool_size=1)
    guard = Guard(engine, clock)
    await guard.check(bearer(key), Scope.REWARDS_READ)
    await engine.dispose()
    gone = create_engine("postgresql://127.0.0.1:1/none", role=None, pool_size=1)
    guard._engine = gone

    clock.advance(TRUSTED + timedelta(seconds=1))
    assert (await guard.check(bearer(key), Scope.REWARDS_READ)).key_id == key.id

    clock.advance(GRACE)
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await guard.check(bearer(key), Scope.REWARDS_READ)
    await gone.dispose()


@pytest.fixture
async def client(guard: Guard) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service with a guarded route."""
    app: FastAPI = service()
    app.state.guard = guard

    @app.get("/guarded")
    async def guarded(principal: Annotated[Principal, Depends(require(Scope.REWARDS_READ))]) -> str:
        return principal.key_id

    async with client_of(app) as client:
        yield client


async def test_a_route_is_guarded(client: httpx.AsyncClient, key: CreatedKey) -> None:
    """Given a route with `require`; when asked with and without the key; then 200 and 401."""
    good = await client.get("/guarded", headers={"Authorization": bearer(key)})
    bad = await client.get("/guarded")

    assert (good.status_code, good.json()) == (200, key.id)
    assert bad.status_code == 401
    assert bad.headers["www-authenticate"].startswith("Bearer")
    assert bad.headers["content-type"] == "application/problem+json"


async def test_a_guarded_route_is_503_while_an_unknown_key_cannot_be_looked_up(clock: ManualClock) -> None:
    """Given the database away; when a key comes that nobody knows yet; then 503 rather than 401."""
    gone = create_engine("postgresql://127.0.0.1:1/none", role=None, pool_size=1)
    app = service()
    app.state.guard = Guard(gone, clock)

    @app.get("/guarded")
    async def guarded(principal: Annotated[Principal, Depends(require(Scope.REWARDS_READ))]) -> str:
        return principal.key_id

    async with client_of(app) as client:
        answer = await client.get(
            "/guarded", headers={"Authorization": "Bearer reg_some-key-that-may-be-good"}
        )

    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert "retry-after" in answer.headers
