"""The vault in the database: keys made once, destroyed for good, under one secret."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.postgres.engine import BY_INDEX, create_engine
from shared.vault.keyring import SubjectKeyring
from shared.vault.seal import Sealer
from shared.vault.secret import SecretError, check_secret
from shared.vault.subject_keys import SubjectErasedError, SubjectKeys
from tests.conftest import EngineFor

SECRET = "the-secret-of-this-installation-0123456789"
KEYS = SubjectKeys(SECRET)


@pytest.fixture
async def ingest(engine_for: EngineFor) -> AsyncEngine:
    """The engine of the service that seals."""
    return engine_for("regulars_ingest")


@pytest.fixture
async def scoring(engine_for: EngineFor) -> AsyncEngine:
    """The engine of the service that reads and erases."""
    return engine_for("regulars_scoring")


async def erase(engine: AsyncEngine, *subjects: str) -> None:
    """Destroy keys and commit."""
    async with engine.begin() as connection:
        await KEYS.destroy(connection, subjects)


async def test_a_key_is_made_once_and_found_again(ingest: AsyncEngine, scoring: AsyncEngine) -> None:
    """Given a subject whose key one service made; when another asks; then it has the same key."""
    async with ingest.begin() as connection:
        made = await KEYS.get_or_create(connection, ["s1", "s2"])
    async with ingest.begin() as connection:
        again = await KEYS.get_or_create(connection, ["s2", "s3"])
    async with scoring.begin() as connection:
        found = await KEYS.get(connection, ["s1", "s2", "s3", "never"])

    assert made["s1"] != made["s2"]
    assert again["s2"] == made["s2"]
    assert found == made | again


async def test_keys_of_a_few_customers_are_planned_once(database_url: str) -> None:
    """Given a connection as ingest has it; when it makes keys again and again; then it planned that once, by index."""
    engine = create_engine(database_url, role="regulars_ingest", pool_size=1, further=BY_INDEX)
    async with engine.begin() as connection:
        for number in range(8):
            await KEYS.get_or_create(connection, [f"s{number}", f"t{number}"])
        plans = (
            await connection.execute(
                text(
                    "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements"
                    " WHERE statement LIKE '%INSERT INTO platform.subject_keys%'"
                )
            )
        ).one()
    await engine.dispose()

    custom, generic = plans
    assert custom == 0
    assert generic >= 8


async def test_two_processes_that_make_the_same_key_agree(ingest: AsyncEngine) -> None:
    """Given ten transactions at once with overlapping subjects; when all are over; then each has the same keys."""

    async def one(number: int) -> dict[str, bytes]:
        subjects = [f"s{(number + step) % 10}" for step in range(6)]
        async with ingest.begin() as connection:
            return await KEYS.get_or_create(connection, subjects)

    seen: dict[str, set[bytes]] = {}
    for keys in await asyncio.gather(*(one(number) for number in range(10))):
        for subject, key in keys.items():
            seen.setdefault(subject, set()).add(key)

    assert len(seen) == 10
    assert all(len(keys) == 1 for keys in seen.values())


async def test_the_key_itself_is_not_in_the_table(ingest: AsyncEngine) -> None:
    """Given a key; when the table is read; then what is stored is wrapped."""
    async with ingest.begin() as connection:
        key = (await KEYS.get_or_create(connection, ["s1"]))["s1"]
        stored = await connection.scalar(text("SELECT key FROM platform.subject_keys"))

    assert key not in stored
    assert len(stored) == 12 + 32 + 16


async def test_a_destroyed_key_cannot_be_used(ingest: AsyncEngine, scoring: AsyncEngine) -> None:
    """Given a subject erased; when its key is looked for; then it is nowhere, and sealing for it is refused."""
    async with ingest.begin() as connection:
        await KEYS.get_or_create(connection, ["gone", "stays"])
    await erase(scoring, "gone")

    async with ingest.begin() as connection:
        found = await KEYS.get(connection, ["gone", "stays"])
        with pytest.raises(SubjectErasedError) as caught:
            await KEYS.get_or_create(connection, ["gone", "stays", "new"])
        left = (await connection.scalars(text("SELECT subject FROM platform.subject_keys ORDER BY 1"))).all()

    assert set(found) == {"stays"}
    assert caught.value.subjects == {"gone"}
    assert left == ["gone", "stays"]


async def test_a_subject_never_seen_can_be_erased_ahead(ingest: AsyncEngine, scoring: AsyncEngine) -> None:
    """Given an erasure of a subject without a key; when it appears later; then it cannot come back."""
    await erase(scoring, "later")

    async with ingest.begin() as connection:
        with pytest.raises(SubjectErasedError):
            await KEYS.get_or_create(connection, ["later"])


async def test_destroying_twice_keeps_the_first_mark(scoring: AsyncEngine) -> None:
    """Given a destroyed key; when destroyed again; then nothing changes and nothing fails."""
    await erase(scoring, "s1")
    async with scoring.connect() as connection:
        first = await connection.scalar(text("SELECT destroyed_at FROM platform.subject_keys"))
    await erase(scoring, "s1")
    async with scoring.connect() as connection:
        second = await connection.scalar(text("SELECT destroyed_at FROM platform.subject_keys"))

    assert first == second


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE platform.subject_keys SET key = 'x', destroyed_at = NULL",
        "UPDATE platform.subject_keys SET created_at = now()",
        "DELETE FROM platform.subject_keys",
    ],
)
async def test_not_even_the_owner_can_bring_a_destroyed_key_back(
    statement: str, engine_for: EngineFor, scoring: AsyncEngine
) -> None:
    """Given a mark; when somebody with all rights tries to change or delete it; then the database refuses."""
    await erase(scoring, "s1")

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="stays destroyed"):
        async with engine_for(None).begin() as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize("role", ["regulars_ingest", "regulars_rewards"])
async def test_only_scoring_can_destroy(role: str, engine_for: EngineFor) -> None:
    """Given the role of another service; when it tries to destroy a key; then the database refuses."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with engine_for(role).begin() as connection:
            await KEYS.destroy(connection, ["s1"])


async def test_a_wrapped_key_moved_to_another_subject_is_refused(engine_for: EngineFor) -> None:
    """Given someone who swaps two rows' keys; when used; then it fails rather than reading another's data."""
    async with engine_for(None).begin() as connection:
        await KEYS.get_or_create(connection, ["a", "b"])
        await connection.execute(
            text(
                "UPDATE platform.subject_keys SET key = (SELECT key FROM platform.subject_keys WHERE subject = 'b')"
                " WHERE subject = 'a'"
            )
        )
        with pytest.raises(SecretError):
            await KEYS.get(connection, ["a"])


async def test_the_first_secret_is_kept_and_another_refused(
    ingest: AsyncEngine, scoring: AsyncEngine
) -> None:
    """Given a first start; when a process comes with another secret; then it is told what is wrong."""
    async with ingest.begin() as connection:
        await check_secret(connection, SECRET)
    async with scoring.begin() as connection:
        await check_secret(connection, SECRET)
    with pytest.raises(SecretError, match="not the secret that this database was set up with"):
        async with scoring.begin() as connection:
            await check_secret(connection, SECRET + "x")

    async with ingest.connect() as connection:
        dump = await connection.scalar(text("SELECT t::text FROM platform.secret_check t"))
    assert SECRET.encode().hex() not in str(dump)


async def test_the_keyring_asks_once_and_for_all_together(ingest: AsyncEngine) -> None:
    """Given forty requests at once; when they need keys; then few visits to the database, and later none."""
    keyring = SubjectKeyring(ingest, SECRET)
    visits: list[object] = []
    event.listen(ingest.sync_engine.pool, "checkout", lambda *a: visits.append(a[0]))

    rounds = await asyncio.gather(
        *(keyring.sealers([f"s{number % 7}", f"t{number}"]) for number in range(40))
    )
    after_first = len(visits)
    await keyring.sealers([f"s{number}" for number in range(7)])

    assert all(len(sealers) == 2 for sealers in rounds)
    assert 1 <= after_first <= 3
    assert len(visits) == after_first


async def test_what_the_keyring_seals_the_reader_unseals(ingest: AsyncEngine, scoring: AsyncEngine) -> None:
    """Given text sealed at ingest; when scoring reads it; then it is the same; unknown subjects are left out."""
    sealed = (await SubjectKeyring(ingest, SECRET).sealers(["s1"]))["s1"].seal(b"ana", b"e1")

    async with scoring.begin() as connection:
        unsealers = await SubjectKeyring(scoring, SECRET).unsealers(connection, ["s1", "unknown"])

    assert unsealers["s1"].unseal(sealed, b"e1") == b"ana"
    assert set(unsealers) == {"s1"}


async def test_the_keyring_learns_of_an_erasure(ingest: AsyncEngine, scoring: AsyncEngine) -> None:
    """Given a key in the keyring; when it is destroyed and the trusted time is over; then sealing is refused."""
    keyring = SubjectKeyring(ingest, SECRET, trusted_s=0.05)
    await keyring.sealers(["gone", "stays"])
    await erase(scoring, "gone")
    await asyncio.sleep(0.06)

    with pytest.raises(SubjectErasedError) as caught:
        await keyring.sealers(["gone", "stays"])

    assert caught.value.subjects == {"gone"}
    assert isinstance((await keyring.sealers(["stays"]))["stays"], Sealer)


async def test_the_keyring_goes_on_with_known_keys_while_the_database_is_away(ingest: AsyncEngine) -> None:
    """Given keys in the keyring; when the database goes away; then they are used on, and new ones fail."""
    keyring = SubjectKeyring(ingest, SECRET, trusted_s=0.01)
    await keyring.sealers(["known"])
    await asyncio.sleep(0.02)
    gone = create_engine("postgresql://127.0.0.1:1/none", role=None, pool_size=1)
    keyring._engine = gone

    assert set(await keyring.sealers(["known"])) == {"known"}
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await keyring.sealers(["known", "new"])
    await gone.dispose()


async def test_the_keyring_is_bounded(ingest: AsyncEngine) -> None:
    """Given room for three; when ten are used; then three stay, and all were served."""
    keyring = SubjectKeyring(ingest, SECRET, capacity=3)

    sealers = await keyring.sealers([f"s{number}" for number in range(10)])

    assert len(sealers) == 10
    assert len(keyring._sealers) == 3
