"""(e) What it costs to keep: memory of each process, bytes per order on disk."""

import asyncpg
import psutil

from tests.benchmarks.report import Figure
from tests.support.stack import Stack

MIB = 1024 * 1024


async def footprint(stack: Stack) -> list[Figure]:
    """The figures of this part; memory without what processes share, PostgreSQL with its shared buffers."""
    figures = [
        Figure(
            f"(e) memory of {service.name}",
            psutil.Process(service.process.pid).memory_full_info().uss / MIB,
            "MiB",
        )
        for service in stack.services.values()
        if service.process is not None
    ]
    postmaster = psutil.Process(stack.postgres.pid)
    family = [postmaster, *postmaster.children(recursive=True)]
    figures.append(
        Figure("(e) memory of PostgreSQL", sum(p.memory_full_info().pss for p in family) / MIB, "MiB")
    )
    if stack.kafka is not None:
        figures.append(
            Figure("(e) memory of Kafka", psutil.Process(stack.kafka.pid).memory_full_info().uss / MIB, "MiB")
        )
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        orders = int(await connection.fetchval("SELECT count(*) FROM rewards.purchases"))
        for schema in ("platform", "scoring", "rewards"):
            size = int(
                await connection.fetchval(
                    """SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables
                    WHERE schemaname = $1""",
                    schema,
                )
            )
            figures.append(Figure(f"(e) schema {schema}, with indexes", size / orders, "bytes/order"))
    finally:
        await connection.close()
    return figures
