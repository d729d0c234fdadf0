"""The command line on a real database: dead letters and keys."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.errors import LocalError
from shared.auth.guard import Guard
from shared.auth.scopes import Scope
from shared.bus.consuming.dead_letters import DeadLetter, DeadLetters
from shared.bus.log.log import PostgresLog
from shared.bus.records import Incoming
from shared.clock import system_clock
from shared.contracts.events import EVENTS_TOPIC
from shared.http.problems import Problem
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.support.clock import ManualClock

VALUE = b'{"source": "shop", "id": "order-1", "rest": "is missing"}'
LETTERS = DeadLetters("scoring")

Regulars = Callable[..., Awaitable[Result]]


@pytest.fixture
def regulars(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Regulars:
    """Runs `regulars …` as an operator would, told by the environment alone where the database is."""
    assert isinstance(settings.secret, SecretStr)
    assert settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGULARS_SECRET", settings.secret.get_secret_value())
    monkeypatch.setenv("REGULARS_HOME", str(settings.home))
    monkeypatch.setenv("REGULARS_PARTITIONS", str(settings.partitions))
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*words: str) -> Result:
        # In a thread: commands bring an event loop of their own.
        return await asyncio.to_thread(CliRunner().invoke, app, list(words))

    return run


async def plant(engine_for: EngineFor, *customers: str) -> list[int]:
    """Set records of these customers aside, and answer the ids of the letters."""
    async with engine_for(None).begin() as connection:
        for offset, customer in enumerate(customers):
            record = Incoming(EVENTS_TOPIC, 3, 40 + offset, customer, VALUE)
            await LETTERS.add(connection, record, ValueError("not to be read"), ManualClock()())
        return [letter.id for letter in await LETTERS.list(connection)]


async def letters(engine_for: EngineFor) -> list[DeadLetter]:
    """All letters, those replayed too."""
    async with engine_for(None).connect() as connection:
        return await LETTERS.list(connection, replayed=True)


async def stream(engine_for: EngineFor) -> list[tuple[str, str, bytes]]:
    """What is on the log: topic, key, value."""
    log = PostgresLog("platform", "log", 4)
    async with engine_for(None).connect() as connection:
        heads = await log.heads(connection)
        records = await log.read(connection, dict.fromkeys(sorted(heads), 0), 100)
    return sorted((each.topic, each.key, each.value) for each in records)


async def test_a_dead_letter_is_listed(regulars: Regulars, engine_for: EngineFor) -> None:
    """Given a record set aside; when listed; then where it stood, why, and which event it is; nothing for others."""
    [id_] = await plant(engine_for, "ana")

    listed = await regulars("dead-letters", "list", "--service", "scoring")
    others = await regulars("dead-letters", "list", "--service", "rewards")

    assert listed.exit_code == 0, listed.output
    assert listed.stdout.startswith(f"{id_}  2026-06-01 12:00:00  {EVENTS_TOPIC}/3@40\n")
    assert "ValueError: not to be read (event shop/order-1)" in listed.stdout
    assert listed.stdout.endswith("1 wait in scoring.\n")
    assert others.stdout == "0 wait in rewards.\n"


async def test_replay_publishes_once_and_marks(regulars: Regulars, engine_for: EngineFor) -> None:
    """Given dead letters; when replayed twice; then they are on the stream once, as they were, and wait no more."""
    await plant(engine_for, "ana", "bob")

    first = await regulars("dead-letters", "replay", "--service", "scoring")
    again = await regulars("dead-letters", "replay", "--service", "scoring")
    waiting = await regulars("dead-letters", "list", "--service", "scoring")
    everything = await regulars("dead-letters", "list", "--service", "scoring", "--all")

    assert first.exit_code == again.exit_code == 0, first.output + again.output
    assert (first.stdout, again.stdout) == ("2 published again.\n", "0 published again.\n")
    assert await stream(engine_for) == [(EVENTS_TOPIC, "ana", VALUE), (EVENTS_TOPIC, "bob", VALUE)]
    assert all(letter.replayed_at is not None for letter in await letters(engine_for))
    assert waiting.stdout == "0 wait in scoring.\n"
    assert everything.stdout.count(", replayed ") == 2


async def test_replay_takes_only_the_letters_named(regulars: Regulars, engine_for: EngineFor) -> None:
    """Given two dead letters; when one is replayed by its id; then the other goes on waiting."""
    _, second = await plant(engine_for, "ana", "bob")

    told = await regulars("dead-letters", "replay", "--service", "scoring", str(second))

    assert told.stdout == "1 published again.\n"
    assert await stream(engine_for) == [(EVENTS_TOPIC, "bob", VALUE)]
    assert [letter.replayed_at is None for letter in await letters(engine_for)] == [True, False]


async def test_a_key_opens_until_it_is_revoked(regulars: Regulars, engine_for: EngineFor) -> None:
    """Given a key made with one scope; when used, and used after it was revoked; then let in, then refused."""
    made = await regulars("keys", "create", "till", "--scope", "rewards:read", "--expires-in", "90d")
    token = made.stdout.strip()
    engine = engine_for("regulars_rewards")
    principal = await Guard(engine, system_clock).check(f"Bearer {token}", Scope.REWARDS_READ)

    listed = await regulars("keys", "list")
    revoked = await regulars("keys", "revoke", principal.key_id)
    with pytest.raises(
        Problem
    ) as refused:  # a new guard: one that knows the key believes it for half a minute
        await Guard(engine, system_clock).check(f"Bearer {token}", Scope.REWARDS_READ)
    after = await regulars("keys", "list")

    assert principal.scopes == {Scope.REWARDS_READ}
    assert principal.key_id in listed.stdout
    assert "till" in listed.stdout
    assert "until " in listed.stdout
    assert token not in listed.stdout
    assert revoked.stdout == f"{principal.key_id} is revoked.\n"
    assert refused.value.status == 401
    assert "revoked" in after.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create", "till", "--scope", "all:things"), "Scopes are: events:write"),
        (("create", "till", "--expires-in", "soon"), "give days"),
        (("create", ""), "needs a name"),
        (("revoke", "key_of_nobody"), "There is no key 'key_of_nobody'"),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    words: tuple[str, ...], says: str, regulars: Regulars, engine_for: EngineFor
) -> None:
    """Given words that make no sense; when a key command is run with them; then it says why, and no key is made."""
    result = await regulars("keys", *words)

    assert result.exit_code == 1
    assert isinstance(result.exception, LocalError)
    assert says in str(result.exception)
    async with engine_for(None).connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM platform.api_keys")) == 0
