"""Batches of any size are written alike, and those of the checkout find their rows by indexes."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from services.rewards.adapters.members import saving
from services.rewards.adapters.spending import loading as checkout_loading
from services.rewards.wiring.api import checkout_engine
from shared.postgres.direct import autocommit
from shared.postgres.inserting import FEW
from shared.settings import Settings
from tests.integration.rewards.conftest import Rewards
from tests.unit.rewards.building import order


@pytest.mark.parametrize("customers", [2, FEW, FEW + 1])
async def test_few_rows_and_many_are_written_alike(rewards: Rewards, customers: int) -> None:
    """Given a batch of orders of different customers, few or many; when it is handled; then all of it is stored."""
    ids = [f"cus_{number:024d}" for number in range(customers)]
    await rewards.happen(*(order(f"o-{id_}", "120", customer=id_) for id_ in ids))
    await rewards.happen(*(order(f"again-{id_}", "30", customer=id_) for id_ in ids))
    found = await rewards.rows("SELECT customer_id, available FROM rewards.members ORDER BY customer_id")
    assert found == [(id_, 150) for id_ in ids]
    assert await rewards.rows("SELECT count(*) FROM rewards.purchases") == [(2 * customers,)]
    await rewards.check()


@pytest.mark.parametrize("statement", [checkout_loading.LOCK, checkout_loading.SEE, saving.UPDATE_LOTS])
async def test_a_checkout_never_reads_a_whole_table(
    rewards: Rewards, settings: Settings, statement: object
) -> None:
    """Given tables so small that reading them whole is cheapest; when the checkout's statements are planned; then rows
    are found by indexes: the plan is kept while the tables grow."""
    await rewards.happen(order("1", "120"))
    asked = str(statement)
    engine = checkout_engine(settings)
    try:
        async with engine.begin() as connection:
            names = dict.fromkeys(text(asked).compile().params)
            plan = await connection.execute(text(f"EXPLAIN {asked}"), names)
            lines = [row[0] for row in plan]
    finally:
        await engine.dispose()
    assert any("Index" in line for line in lines), lines
    assert not any("Seq Scan" in line for line in lines), lines


@pytest.mark.parametrize("statement", [checkout_loading.LOCK, checkout_loading.SEE])
async def test_a_checkout_looks_for_each_row_by_its_key(
    rewards: Rewards, settings: Settings, statement: object
) -> None:
    """Given tables that PostgreSQL knows to be empty, so that to read all of them by an index is cheapest; when what
    the checkout asks is planned; then each table is read by a condition on a key: the plan is kept while they grow."""
    asked = str(statement)
    engine = checkout_engine(settings)
    try:
        async with autocommit(engine).connect() as connection:
            for table in ("members", "aliases", "redemptions", "lots", "purchases", "idempotency_keys"):
                await connection.execute(text(f"VACUUM (ANALYZE) rewards.{table}"))
            names = dict.fromkeys(text(asked).compile().params)
            plan = (await connection.execute(text(f"EXPLAIN (FORMAT JSON) {asked}"), names)).scalar_one()
    finally:
        await engine.dispose()
    reads = [node for node in nodes(plan[0]["Plan"]) if "Relation Name" in node]
    assert reads
    for node in reads:
        assert "Index Cond" in node or "Recheck Cond" in node, node


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's node and all below it."""
    yield node
    for below in node.get("Plans", []):
        yield from nodes(below)
