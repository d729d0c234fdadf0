"""Idempotency keys: one effect, one answer, whatever is repeated, raced or cut off."""

import asyncio
from datetime import timedelta
from hashlib import blake2b, sha256

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.http.idempotency import KEPT_FOR, IdempotencyKeys, StoredAnswer, idempotency_table
from shared.http.problems import Problem
from tests.conftest import EngineFor
from tests.support.clock import ManualClock

KEYS = IdempotencyKeys("trial", "s" * 32)
SCOPE = "key_1 POST /spend"
BODY = KEYS.hash_body(b'{"points": 5}')
ANSWER = b'{"id":"red_1"}'


@pytest.fixture
async def engine(engine_for: EngineFor) -> AsyncEngine:
    """A schema with the keys' table and a table of effects to count."""
    engine = engine_for(None)
    metadata = MetaData(schema="trial")
    idempotency_table(metadata)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA trial"))
        await connection.run_sync(metadata.create_all)
        await connection.execute(text("CREATE TABLE trial.effects (at timestamptz)"))
    return engine


def test_what_is_kept_of_a_body_cannot_be_guessed() -> None:
    """Given a body that names somebody; then what is kept of it is the same each time, and another with another secret:
    who reads the table cannot try addresses."""
    body = b'{"to": "ana@example.com"}'

    assert KEYS.hash_body(body) == IdempotencyKeys("other", "s" * 32).hash_body(body)
    assert KEYS.hash_body(body) != IdempotencyKeys("trial", "t" * 32).hash_body(body)
    assert KEYS.hash_body(body) not in {sha256(body).digest(), blake2b(body, digest_size=32).digest()}


async def act(
    connection: AsyncConnection, clock: ManualClock, *, key: str = "k", body: bytes = BODY
) -> StoredAnswer:
    """What a route does: begin, effect, finish."""
    stored = await KEYS.begin(connection, key, SCOPE, body)
    if stored is not None:
        return stored
    await connection.execute(text("INSERT INTO trial.effects VALUES (:at)"), {"at": clock()})
    await KEYS.finish(connection, key, SCOPE, body, status=201, body=ANSWER, now=clock())
    return StoredAnswer(201, ANSWER)


async def effects(engine: AsyncEngine) -> int:
    """How often it happened."""
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM trial.effects")) or 0)


async def test_a_repeat_answers_the_same_bytes_and_does_nothing(
    engine: AsyncEngine, clock: ManualClock
) -> None:
    """Given a request that was done; when repeated; then the stored answer, and one effect."""
    async with engine.begin() as connection:
        first = await act(connection, clock)
    async with engine.begin() as connection:
        second = await act(connection, clock)

    assert first == second == StoredAnswer(201, ANSWER)
    assert await effects(engine) == 1


async def test_another_body_under_the_same_key_is_refused(engine: AsyncEngine, clock: ManualClock) -> None:
    """Given a request that was done; when its key comes with another body; then 422 and nothing happens."""
    async with engine.begin() as connection:
        await act(connection, clock)
    with pytest.raises(Problem) as caught:
        async with engine.begin() as connection:
            await act(connection, clock, body=KEYS.hash_body(b'{"points": 6}'))

    assert (caught.value.status, caught.value.code) == (422, "idempotency_key_reused")
    assert await effects(engine) == 1


async def test_a_request_while_the_first_is_in_flight_is_told_so_at_once(
    engine: AsyncEngine, clock: ManualClock
) -> None:
    """Given a transaction that holds the key; when another begins; then 409 without waiting; later the answer."""
    async with engine.begin() as first:
        await act(first, clock)
        async with asyncio.timeout(1):
            with pytest.raises(Problem) as caught:
                async with engine.begin() as second:
                    await act(second, clock)
    async with engine.begin() as third:
        replayed = await act(third, clock)

    assert (caught.value.status, caught.value.code) == (409, "idempotency_key_in_flight")
    assert replayed.body == ANSWER
    assert await effects(engine) == 1


async def test_a_transaction_that_began_before_the_other_committed_undoes_itself(
    engine: AsyncEngine, clock: ManualClock
) -> None:
    """Given one that looked just before another committed and locked just after; when it finishes; then 409."""
    async with engine.connect() as late:
        await late.begin()
        async with engine.begin() as winner:
            await act(winner, clock)
        await late.execute(text("INSERT INTO trial.effects VALUES (:at)"), {"at": clock()})
        with pytest.raises(Problem) as caught:
            await KEYS.finish(late, "k", SCOPE, BODY, status=201, body=b"other", now=clock())
        await late.rollback()

    assert caught.value.status == 409
    assert await effects(engine) == 1


async def test_a_crash_before_the_commit_leaves_nothing(engine: AsyncEngine, clock: ManualClock) -> None:
    """Given a process that dies before it commits; when the request is repeated; then it is done, once."""

    async def crash() -> None:
        async with engine.begin() as connection:
            await act(connection, clock)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()
    assert await effects(engine) == 0

    async with engine.begin() as connection:
        await act(connection, clock)

    assert await effects(engine) == 1


async def test_a_killed_connection_leaves_nothing(engine: AsyncEngine, clock: ManualClock) -> None:
    """Given a connection that the server ends in mid-transaction; when repeated; then it is done, once."""
    async with engine.connect() as victim, engine.connect() as killer:
        await act(victim, clock)
        pid = await victim.scalar(text("SELECT pg_backend_pid()"))
        await killer.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": pid})
        await victim.invalidate()

    async with engine.begin() as connection:
        await act(connection, clock)

    assert await effects(engine) == 1


async def test_twenty_at_once_have_one_effect(engine: AsyncEngine, clock: ManualClock) -> None:
    """Given twenty equal requests at once; when all are over; then one effect, and every answer is it or a 409."""

    async def attempt() -> StoredAnswer | int:
        try:
            async with engine.begin() as connection:
                return await act(connection, clock)
        except Problem as problem:
            return problem.status

    answers = await asyncio.gather(*(attempt() for _ in range(20)))

    assert await effects(engine) == 1
    assert set(answers) <= {409, StoredAnswer(201, ANSWER)}
    assert StoredAnswer(201, ANSWER) in answers


async def test_keys_are_apart_by_scope(engine: AsyncEngine, clock: ManualClock) -> None:
    """Given the same key from another caller; when it comes; then it is another request."""
    async with engine.begin() as connection:
        await act(connection, clock)
        stored = await KEYS.begin(connection, "k", "key_2 POST /spend", BODY)

    assert stored is None


async def test_old_keys_are_pruned(engine: AsyncEngine, clock: ManualClock) -> None:
    """Given a key of two days ago and one of now; when pruned; then only the old one goes."""
    async with engine.begin() as connection:
        await act(connection, clock, key="old")
        clock.advance(KEPT_FOR + timedelta(seconds=1))
        await act(connection, clock, key="new")
        pruned = await KEYS.prune(connection, clock())
        left = (await connection.scalars(text("SELECT key FROM trial.idempotency_keys"))).all()

    assert (pruned, left) == (1, ["new"])
