"""API keys in the database: hashed, listed, revoked; and who may touch them."""

from datetime import timedelta

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from deploy.local.prepare import prepare
from shared.auth.keys import any_key, create_key, ensure_key, list_keys, revoke_key
from shared.auth.scopes import ALL_SCOPES, Scope
from shared.settings import Settings
from tests.conftest import EngineFor
from tests.support.clock import ManualClock

OWNER = "regulars_platform"


async def test_the_token_is_in_no_table(engine_for: EngineFor, clock: ManualClock) -> None:
    """Given a new key; when every table of the schema is dumped as text; then neither token nor its end is found."""
    async with engine_for(OWNER).begin() as connection:
        created = await create_key(connection, name="till", scopes=[Scope.REWARDS_WRITE], now=clock())
        tables = await connection.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'platform'")
        )
        dump = ""
        for table in tables.all():
            rows = await connection.execute(text(f"SELECT t::text FROM platform.{table} t"))
            dump += "\n".join(row[0] for row in rows)

    assert created.id in dump
    assert created.token not in dump
    assert created.token.removeprefix("reg_") not in dump
    assert created.token.encode().hex() not in dump


async def test_a_key_is_listed_without_its_token(engine_for: EngineFor, clock: ManualClock) -> None:
    """Given a key; when listed; then name, scopes and times are shown."""
    expires = clock() + timedelta(days=1)
    async with engine_for(OWNER).begin() as connection:
        assert not await any_key(connection)
        created = await create_key(
            connection, name="till", scopes=[Scope.REWARDS_READ], now=clock(), expires_at=expires
        )
        [key] = await list_keys(connection)
        assert await any_key(connection)

    assert (key.id, key.name, key.scopes) == (created.id, "till", {Scope.REWARDS_READ})
    assert (key.created_at, key.expires_at, key.revoked_at) == (clock(), expires, None)


async def test_revoking_twice_keeps_the_first_time(engine_for: EngineFor, clock: ManualClock) -> None:
    """Given a revoked key; when revoked again; then the first moment stays; an unknown id is told."""
    async with engine_for(OWNER).begin() as connection:
        created = await create_key(connection, name="till", scopes=[Scope.REWARDS_READ], now=clock())
        assert await revoke_key(connection, created.id, clock())
        assert await revoke_key(connection, created.id, clock() + timedelta(days=1))
        assert not await revoke_key(connection, "key_unknown", clock())
        [key] = await list_keys(connection)

    assert key.revoked_at == clock()


async def test_the_configured_key_is_made_once_with_all_scopes(
    engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given REGULARS_API_KEY; when ensured at two starts; then there is one key, with every scope."""
    token = SecretStr("a-key-from-the-environment")
    async with engine_for(OWNER).begin() as connection:
        first = await ensure_key(connection, token, clock())
        second = await ensure_key(connection, token, clock())
        [key] = await list_keys(connection)

    assert first.id == second.id == key.id
    assert key.scopes == ALL_SCOPES


async def test_a_revoked_configured_key_stays_revoked(engine_for: EngineFor, clock: ManualClock) -> None:
    """Given the configured key was revoked; when the next start ensures it; then it stays revoked."""
    async with engine_for(OWNER).begin() as connection:
        made = await ensure_key(connection, "a-key-from-the-environment", clock())
        await revoke_key(connection, made.id, clock())
        again = await ensure_key(connection, "a-key-from-the-environment", clock())
        [key] = await list_keys(connection)

    assert again == key
    assert key.revoked_at is not None


NARROW = text(
    "UPDATE platform.api_keys SET scopes = ARRAY['events:write', 'of:tomorrow'], expires_at = :expires"
)
SCOPES = text("SELECT scopes FROM platform.api_keys")


async def test_a_configured_key_gains_the_scopes_of_a_newer_version(
    engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given the configured key from before most scopes; when ensured; then it has all, and keeps what is unknown."""
    async with engine_for(OWNER).begin() as connection:
        made = await ensure_key(connection, "a-key-from-the-environment", clock())
        await connection.execute(NARROW, {"expires": clock() + timedelta(days=1)})
        again = await ensure_key(connection, "a-key-from-the-environment", clock())
        stored = await connection.scalar(SCOPES)

    assert (again.id, again.scopes) == (made.id, ALL_SCOPES)
    assert stored == sorted({*ALL_SCOPES, "of:tomorrow"})


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_a_dead_configured_key_gains_nothing_and_the_start_says_so(
    end: str, settings: Settings, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given the configured key was revoked or expired; when a start ensures it; then it stays so, and that is told."""
    settings = settings.model_copy(update={"api_key": SecretStr("a-key-from-the-environment")})
    await prepare(settings, clock, lambda _: None)
    async with engine_for(OWNER).begin() as connection:
        [key] = await list_keys(connection)
        await connection.execute(NARROW, {"expires": clock() if end == "expired" else None})
        if end == "revoked":
            await revoke_key(connection, key.id, clock())
    told: list[str] = []

    await prepare(settings, clock, told.append)

    async with engine_for(OWNER).begin() as connection:
        [after] = await list_keys(connection)
    assert after.scopes == {Scope.EVENTS_WRITE}
    assert any(f"REGULARS_API_KEY ({key.id})" in line and end in line for line in told), told


@pytest.mark.parametrize("token", ["short", "x" * 257, "with a space in it", "ümläute-are-not-ascii"])
async def test_a_poor_configured_key_is_refused(
    token: str, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given a token that is too short or could not travel in a header; when ensured; then a clear error."""
    async with engine_for(OWNER).begin() as connection:
        with pytest.raises(ValueError, match="REGULARS_API_KEY"):
            await ensure_key(connection, token, clock())


@pytest.mark.parametrize("role", ["regulars_ingest", "regulars_scoring", "regulars_rewards"])
async def test_a_service_cannot_make_itself_a_key(
    role: str, engine_for: EngineFor, clock: ManualClock
) -> None:
    """Given the role of a service; when it tries to make or revoke a key; then the database refuses."""
    engine = engine_for(role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with engine.begin() as connection:
            await create_key(connection, name="mine", scopes=ALL_SCOPES, now=clock())
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with engine.begin() as connection:
            await revoke_key(connection, "key_x", clock())
