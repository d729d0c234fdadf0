"""What was used of codes before uses had ids of their own is kept."""

from alembic import command
from sqlalchemy import text

from shared.postgres.engine import create_engine
from shared.postgres.migrating import HISTORIES, run_step
from tests.support.database import TestDatabases

BEFORE = "0007"
OFFER = """
    INSERT INTO rewards.offers (code, customer_id, offer, rule, cause, program_version, issued_at, valid_until, uses,
        used, free_shipping, currency, part)
    VALUES ('AAAA-BBBB-CCCC', 'cus_a', 'fifth', 'fifth-purchase', 'c', 1, now(), now(), 2, 2, false, 'USD', 'cus_b')
    """
USES = """
    INSERT INTO rewards.offer_uses (code, number, customer_id, order_id, at, actor)
    VALUES ('AAAA-BBBB-CCCC', 1, 'cus_a', '77', now(), 'key'), ('AAAA-BBBB-CCCC', 2, 'cus_a', '78', now(), 'key')
    """


async def test_uses_of_before_are_kept_and_numbered_again_on_the_way_back(databases: TestDatabases) -> None:
    """Given uses of a code in the tables of before; when they are migrated; then each has an id, offer and part;
    and back again, they have their numbers."""
    history = next(each for each in HISTORIES if each.schema == "rewards")
    async with databases.fresh() as url:
        engine = create_engine(url, role=None, pool_size=1)
        async with engine.begin() as connection:
            await connection.run_sync(run_step, history, command.downgrade, BEFORE)
            await connection.execute(text(OFFER))
            await connection.execute(text(USES))
        async with engine.begin() as connection:
            await connection.run_sync(run_step, history, command.upgrade, "head")
            query = "SELECT id, offer, order_id, personal, part FROM rewards.offer_uses ORDER BY id"
            kept = [tuple(row) for row in await connection.execute(text(query))]
        async with engine.begin() as connection:
            await connection.run_sync(run_step, history, command.downgrade, BEFORE)
            query = "SELECT number, order_id FROM rewards.offer_uses ORDER BY number"
            back = [tuple(row) for row in await connection.execute(text(query))]
        await engine.dispose()

    assert kept == [
        ("use_AAAA-BBBB-CCCC-1", "fifth", "77", True, "cus_b"),
        ("use_AAAA-BBBB-CCCC-2", "fifth", "78", True, "cus_b"),
    ]
    assert back == [(1, "77"), (2, "78")]
